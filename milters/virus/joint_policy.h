// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is wanted for a message by all of its recipients together.  Recipients from a
// stranger have equal policies at first (gate.h).  Those from a trusted client may
// differ, and those of a stranger that were put off before: then the least destructive
// action is taken, of the table in mxfeed-virus(8).  Pure.
//
// Other mail, without a recipient in one of our domains, is not scanned unless the
// gateway says so.  A recipient that Postfix routes by a transport of ours is one of
// ours, whether or not the policy knows its domain: a damaged policy finds nothing.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/mail/envelope.h"
#include "common/policy/domain_policy.h"

namespace mxfeed::virus {

// For each setting the less destructive action of the two: quarantine before reject (the
// client is told, and has the message) before delete; of encrypted content, header before
// reject.
[[nodiscard]] VirusPolicy least_destructive(const VirusPolicy& a, const VirusPolicy& b);

// What is wanted for one recipient.
struct WantedFor {
  std::string recipient;  // Recipient::as_received
  std::string domain;     // of ours, else the recipient's
  VirusPolicy virus;
  AttachmentPolicy attachments = {};
};

class JointPolicy {
 public:
  explicit JointPolicy(bool scan_other_mail) : scan_other_mail_(scan_other_mail) {}

  // To be called for each accepted recipient; `policy` is that of its domain.
  void add(const Recipient& recipient, const DomainPolicy& policy);

  // Whether the message is to be scanned.
  bool scans() const { return scan_other_mail_ || has_hosted_; }
  // The defaults if there is no recipient.
  VirusPolicy virus() const { return virus_.value_or(VirusPolicy{}); }
  // Whether a recipient has rules for attachments.
  bool wants_attachments() const { return wants_attachments_; }
  // Of each accepted recipient.
  const std::vector<WantedFor>& recipients() const { return recipients_; }
  // The domain of the first recipient that is ours, else of the first one.
  const std::string& domain() const { return domain_; }

 private:
  const bool scan_other_mail_;
  bool has_hosted_ = false;
  bool wants_attachments_ = false;
  std::optional<VirusPolicy> virus_;
  std::vector<WantedFor> recipients_;
  std::string domain_;
};

}  // namespace mxfeed::virus
