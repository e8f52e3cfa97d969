// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/own_fields.h"

#include "common/base/text.h"

namespace mxfeed {

bool is_own_field(std::string_view name) {
  return istarts_with(trim(name), "x-mxfeed-");
}

void OwnFields::see(std::string_view name) {
  if (is_own_field(name)) ++counts_[ascii_lower(trim(name))];
}

bool OwnFields::has(std::string_view name) const {
  return counts_.contains(ascii_lower(name));
}

std::size_t OwnFields::remove(MessageEdits& edits, std::string_view kept) const {
  std::size_t removed = 0;
  for (const auto& [name, count] : counts_) {
    if (iequals(name, kept)) continue;
    for (unsigned index = count; index > 0; --index) edits.remove(name, index);
    removed += count;
  }
  return removed;
}

}  // namespace mxfeed
