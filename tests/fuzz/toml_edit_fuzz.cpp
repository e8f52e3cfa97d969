// SPDX-License-Identifier: GPL-2.0-or-later
//
// Edits of a file of domains, whose every other byte must stay.

#include <algorithm>
#include <string>

#include "postfix-conf/config/toml_edit.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  const auto text = fuzz::as_text(data, size);
  const auto lines =
      static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (std::uint32_t line = 0; line <= std::min(lines + 1, 100U); ++line) {
    if (const auto changed = insert_value(text, line, "name", "extend_until", "\"x\"")) {
      const auto at =
          std::mismatch(text.begin(), text.end(), changed->begin()).first - text.begin();
      const auto rest = text.substr(static_cast<std::size_t>(at));
      fuzz::require(changed->size() > text.size(), "a line is inserted");
      fuzz::require(changed->ends_with(rest), "what follows stays");
    }
    if (const auto changed = replace_value(text, line, "name", "\"x\"")) {
      const auto again = replace_value(*changed, line, "name", "\"x\"");
      fuzz::require(again == changed, "a value that was replaced can be replaced again");
      fuzz::require(std::count(changed->begin(), changed->end(), '\n') + 1 == lines,
                    "the number of lines stays");
    }
  }
  return 0;
}
