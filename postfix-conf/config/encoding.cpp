// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/encoding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "common/base/text.h"

namespace mxfeed {
namespace {

std::uint32_t line_of(std::string_view text, std::size_t at) {
  return 1 + static_cast<std::uint32_t>(std::count(
                 text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

}  // namespace

std::optional<SyntaxError> find_encoding_error(std::string_view text) {
  const auto zeros = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\0'));
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") ||
      (zeros > 0 && zeros >= text.size() / 4)) {
    return SyntaxError{0, "in UTF-16: save the file as UTF-8"};
  }
  for (std::size_t at = 0; at < text.size();) {
    at += ascii_length(text.substr(at));
    if (at == text.size()) break;
    const auto length = utf8_length(text.substr(at));
    if (length == 0) {
      return SyntaxError{line_of(text, at),
                         fmt::format("not in UTF-8 (byte {}): save the file as UTF-8",
                                     escape_untrusted(text.substr(at, 1)))};
    }
    at += length;
  }
  return std::nullopt;
}

}  // namespace mxfeed
