// SPDX-License-Identifier: GPL-2.0-or-later
//
// The messages that are attached to a message, as mail programs forward them.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mxfeed::spam {

inline constexpr std::size_t kMostAttached = 100;
// Of a longer one this much is given: more than the classifier reads of any message.
inline constexpr std::size_t kMostOfAttached = std::size_t{8} << 20;

// The first kMostAttached parts that are messages by their type, or by a name such as
// "x.eml"; not those within them.  Pure.
std::vector<std::string> attached_messages(std::string_view mail);

}  // namespace mxfeed::spam
