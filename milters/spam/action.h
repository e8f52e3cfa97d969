// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is done with a message, from its level and the domain's policy: pure, from values
// to a verdict and edits.  The table in mxfeed-spam(8) is that of action_test.cpp.

#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/edits.h"
#include "common/mail/own_fields.h"
#include "common/mail/verdict.h"
#include "common/policy/domain_policy.h"

namespace mxfeed::spam {

// The parts of a message's header that act() needs.
class HeaderView {
 public:
  void field(std::string_view name, std::string_view value);

  // The Subject fields as received, with full length.
  const std::vector<std::string>& subjects() const { return subjects_; }
  const OwnFields& own_fields() const { return own_fields_; }
  // The number of fields by name (lower case), for names that begin with "X-" and are not
  // ours.
  const std::map<std::string, unsigned>& extension_fields() const { return counts_; }

 private:
  std::vector<std::string> subjects_;
  OwnFields own_fields_;
  std::map<std::string, unsigned> counts_;
};

// Which recipients are exempt from spam actions.
enum class Exempt {
  nobody,
  some,  // postmaster@ or abuse@ besides others: the message is delivered, at most tagged
  all    // no action; also for authenticated senders and trusted networks
};

// What a message was found to be.
struct Rating {
  Rating(SpamLevel of, bool bulk = false) : level(of), is_bulk(bulk) {}
  SpamLevel level;
  bool is_bulk;  // with level none: a newsletter or such

  std::string_view name() const;  // "low", "bulk"
};

const SpamRule& rule_of(const Rating& rating, const SpamPolicy& policy);

// What is told about it in the header.
struct Report {
  std::string status;    // X-Mxfeed-Spam-Status, always
  std::string evidence;  // X-Mxfeed-Spam-Evidence, beside the field of a header action
};

struct Decision {
  Verdict verdict;
  SpamAction action;      // what is really done
  bool softened = false;  // the policy asked for a stronger action
};

// High may delete and reject only with `proven` evidence or SpamPolicy::immature_acts;
// otherwise the subject is tagged instead.  With Exempt::all nothing is done or reported.
[[nodiscard]] Decision act(const Rating& rating, bool proven, const SpamPolicy& policy,
                           Exempt exempt, const HeaderView& header, const Report& report,
                           MessageEdits& edits);

// Removes fields that only we may write: X-Mxfeed-* except X-Mxfeed-Virus, which
// mxfeed-virus has just written, and, if the policy is enabled, those that its header
// actions add, if their names begin with "X-".  Returns how many.
std::size_t remove_forged(const HeaderView& header, const SpamPolicy& policy,
                          MessageEdits& edits);

}  // namespace mxfeed::spam
