// SPDX-License-Identifier: GPL-2.0-or-later
//
// Adds an entry to a list of senders in the text of a file, and removes it; every other
// byte stays.  Whether the new text means what it should is for the caller to check.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/policy/sender_list.h"

namespace mxfeed {

// Where a list is, or is to be.
struct ListPlace {
  std::string_view key;       // "allow" or "deny"
  std::uint32_t domain_line;  // of the domain's name; 0: [greylist] of mxfeed.toml
};

// Nothing if an operator must do it.
std::optional<std::string> add_entry(std::string_view text, const ListPlace& place,
                                     const ListEntry& entry);
std::optional<std::string> remove_entry(std::string_view text, const ListPlace& place,
                                        const ListEntry& entry);

}  // namespace mxfeed
