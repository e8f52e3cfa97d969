// SPDX-License-Identifier: GPL-2.0-or-later
//
// The header fields that only we may write: names that begin with "X-Mxfeed-", in any
// case.  Copies that come from outside are forged.

#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "common/mail/edits.h"

namespace mxfeed {

// Whether the name, blanks around it included, is one of ours.
bool is_own_field(std::string_view name);

// Counts our fields in a message, to remove them.
class OwnFields {
 public:
  // Each field of the header, in order.
  void see(std::string_view name);

  // Removes all that were seen but those named `kept`; returns how many.
  std::size_t remove(MessageEdits& edits, std::string_view kept = "") const;

 private:
  std::map<std::string, unsigned> counts_;  // by name in lower case
};

}  // namespace mxfeed
