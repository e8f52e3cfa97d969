// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/wire_text.h"

#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMaxReplyText = 400;

}  // namespace

std::string reply_text(std::string_view text) {
  std::string safe;
  for (const char c : text.substr(0, kMaxReplyText)) {
    safe += c >= 0x20 && c <= 0x7E ? c : '?';
    if (c == '%') safe += '%';
  }
  return safe;
}

std::string field_value(std::string_view value, bool leading_space) {
  std::string safe = leading_space ? " " : "";
  bool line_begins = false;
  for (const char c : value) {
    if (c == '\r' || c == '\0') continue;
    if (line_begins && !is_blank(c)) safe += '\t';
    line_begins = c == '\n';
    safe += c;
  }
  if (line_begins) safe += '\t';
  return safe;
}

}  // namespace mxfeed
