// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <initializer_list>
#include <string_view>
#include <variant>

#include "common/policy/sender_list.h"

namespace mxfeed::greylist {

// A list of entries that are known to be right.
inline SenderList list_of(std::initializer_list<std::string_view> texts) {
  SenderList list;
  for (const auto text : texts) list.add(std::get<ListEntry>(ListEntry::parse(text)));
  return list;
}

}  // namespace mxfeed::greylist
