// SPDX-License-Identifier: GPL-2.0-or-later
//
// The header fields that only we may write: names that begin with "X-Mxfeed-", in any
// case.  A field of such a name that comes from outside is forged.

#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "common/mail/edits.h"

namespace mxfeed {

// Whether the name is one of ours; blanks around it do not matter.
bool is_own_field(std::string_view name);

// Counts our fields in a message, to remove them.
class OwnFields {
 public:
  // To be called for each field of the header, in order.
  void see(std::string_view name);

  // Whether a field of that name was seen.
  bool has(std::string_view name) const;

  // Removes all of our fields that were seen, except those named `kept`; returns how
  // many.
  std::size_t remove(MessageEdits& edits, std::string_view kept = "") const;

 private:
  std::map<std::string, unsigned> counts_;  // by name in lower case
};

}  // namespace mxfeed
