// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is done with a message of a level under a domain's policy: pure, from values to a
// verdict and edits.  The table in mxfeed-spam(8) is that of action_test.cpp.

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

// What action needs to know of a message's header.
class HeaderView {
 public:
  void field(std::string_view name, std::string_view value);

  // The Subject fields as received, whole.
  const std::vector<std::string>& subjects() const { return subjects_; }
  const OwnFields& own_fields() const { return own_fields_; }
  // How many fields of that name (lower case) there are, of those that begin with "X-"
  // and are not ours.
  const std::map<std::string, unsigned>& extension_fields() const { return counts_; }

 private:
  std::vector<std::string> subjects_;
  OwnFields own_fields_;
  std::map<std::string, unsigned> counts_;
};

// Whom the message goes to.
enum class Exempt {
  nobody,
  some,  // postmaster@ or abuse@ besides others: nothing is withheld, a tag takes its
         // place
  all    // also authenticated senders and trusted networks: no action
};

struct Decision {
  Verdict verdict;
  SpamAction action;      // what is done
  bool softened = false;  // the policy asked for more
};

// `status_text` is the value of X-Mxfeed-Spam-Status, added unless Exempt::all.  With
// `proven` evidence or SpamPolicy::immature_acts, high may delete and reject; else it
// acts as a tag before the subject.
[[nodiscard]] Decision act(SpamLevel level, bool proven, const SpamPolicy& policy,
                           Exempt exempt, const HeaderView& header,
                           std::string_view status_text, MessageEdits& edits);

// Removes what only we may write: X-Mxfeed-* but X-Mxfeed-Virus, which mxfeed-virus has
// just written, and, of an enabled policy, the fields its header actions add, if their
// names begin with "X-".  Returns how many.
std::size_t remove_forged(const HeaderView& header, const SpamPolicy& policy,
                          MessageEdits& edits);

}  // namespace mxfeed::spam
