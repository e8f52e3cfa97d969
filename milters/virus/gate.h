// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which recipients may join a transaction.  Pure.
//
// A message has one content, so recipients whose content policies differ cannot share a
// transaction: the first accepted recipient sets the class, and a recipient of another
// class is deferred.  From then on every further recipient is deferred, whatever its
// class: some senders lose recipients when a 250 follows a 452.  A trusted client, often
// a mail program that cannot try again, is spared this (joint_policy.h), and so is a
// recipient that was put off before and comes again (put_off.h): unless one has a filter
// that the other has not, which a stranger could switch off by its company.
//
// A recipient whose domain takes no message of the declared size is refused, and a
// message that turns out to be larger than declared.
//
// A recipient that could not be delivered to, since SMTPUTF8 is needed and the servers of
// our domains do not take it, is refused.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "common/mail/envelope.h"
#include "common/policy/domain_policy.h"

namespace mxfeed::virus {

enum class Admission : std::uint8_t {
  admitted,
  other_class,     // to be sent in a transaction of its own
  needs_smtputf8,  // never deliverable
  too_large        // above max_size of its domain, as declared
};

// The recipients of one transaction, in their order.
class Gate {
 public:
  Gate(const Envelope& envelope, const GatewayPolicy& gateway);

  // `policy` is that of the recipient's domain.  Class 0, the domains that are not ours,
  // is a class like any other.  `comes_again` is asked about a recipient of another
  // class.
  [[nodiscard]] Admission admit(const Recipient& recipient, const DomainPolicy& policy,
                                const std::function<bool()>& comes_again);

  // The most that all of the recipients take; 0 without a limit.
  std::uint64_t max_size() const { return max_size_; }

  // A field of the message's header.
  void see_header(std::string_view name, std::string_view value);
  // Whether the header needs SMTPUTF8, and none of the recipients takes it.
  bool header_needs_smtputf8() const { return utf8_header_ && !has_other_; }

 private:
  struct Kind {
    std::uint32_t content_class;
    bool is_hosted;
    bool is_classified;  // as spam
    EncryptedAction encrypted;
    AttachmentPolicy attachments;

    bool filters_like(const Kind& other) const {
      return is_hosted == other.is_hosted && is_classified == other.is_classified &&
             encrypted == other.encrypted && takes_attachments_like(other.attachments);
    }
    bool takes_attachments_like(const AttachmentPolicy& other) const {
      constexpr auto kHeader = AttachmentAction::header;
      return attachments.preset == other.preset && attachments.blocked == other.blocked &&
             (attachments.action == kHeader) == (other.action == kHeader);
    }
  };
  static Kind kind_of(const DomainPolicy& policy);

  const bool is_trusted_;
  const bool without_smtputf8_;  // announced, but our domains' servers do not take it
  const bool utf8_sender_;
  const std::uint64_t declared_size_;  // 0 if it was not
  std::uint64_t max_size_ = 0;
  std::optional<Kind> first_;  // of the first recipient
  bool closed_ = false;
  bool has_other_ = false;  // a recipient that is not ours
  bool utf8_header_ = false;
};

}  // namespace mxfeed::virus
