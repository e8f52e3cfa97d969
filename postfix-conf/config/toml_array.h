// SPDX-License-Identifier: GPL-2.0-or-later
//
// Changes an array of strings in the text of a TOML file; every other byte stays.  Lines
// count from 1.  Whether the new text means what it should is for the caller to check: a
// line of a multi-line string may look the same.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mxfeed {

// Where the parts of the array are in the text, as offsets.
struct ArrayText {
  struct Item {
    std::size_t begin, end;  // with its quotes
  };
  std::size_t begin, end;  // behind the bracket that opens; of the one that closes
  std::vector<Item> items;
};

// The array in "key = [...]" on the line, which may go on in the next ones and be in an
// inline table.  Nothing if there is none, or if it has other items than strings of one
// line each.
std::optional<ArrayText> find_array(std::string_view text, std::uint32_t line,
                                    std::string_view key);

// What is between the quotes.
std::string_view content_of(const ArrayText::Item& item, std::string_view text);

// Adds the item, a string with its quotes, behind the last one: on a line of its own if
// the closing bracket is.
std::string add_item(std::string_view text, const ArrayText& array,
                     std::string_view item);
// Removes the item, and its line if there is nothing else but a comment.
std::string remove_item(std::string_view text, const ArrayText& array, std::size_t index);

}  // namespace mxfeed
