// SPDX-License-Identifier: GPL-2.0-or-later
//
// Text in a charset that the first line of the input names.

#include <algorithm>
#include <string>

#include "common/mail/charset.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  using fuzz::require;
  const std::string_view input = fuzz::as_text(data, size);
  const std::string_view charset = input.substr(0, input.find('\n'));
  const std::string_view bytes = input.substr(std::min(charset.size() + 1, size));
  const std::string text = to_utf8(bytes, charset);
  require(is_utf8(text), "text is UTF-8");
  require(text.size() <= 8 * bytes.size() + 16, "text is bounded");
  require(to_utf8(text, "utf-8") == text, "UTF-8 stays as it is");
  return 0;
}
