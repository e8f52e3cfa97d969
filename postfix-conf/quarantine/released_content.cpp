// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/quarantine/released_content.h"

#include <utility>

#include "common/base/text.h"
#include "common/mail/header.h"
#include "common/mail/own_fields.h"

namespace mxfeed::quarantine {

std::string ReleasedContent::next(std::string_view octets) {
  std::string out;
  while (!octets.empty()) {
    const auto end = octets.find('\n');
    const bool is_whole = end != std::string_view::npos;
    const auto piece = octets.substr(0, is_whole ? end + 1 : octets.size());
    octets.remove_prefix(piece.size());
    if (in_header_ && pending_.size() + piece.size() > kMaxLine) in_header_ = false;
    if (in_header_ && !is_whole) {
      pending_.append(piece);
      continue;
    }
    if (!pending_.empty()) {
      pending_.append(piece);
      line(std::exchange(pending_, {}), out);
    } else {
      line(piece, out);
    }
  }
  return out;
}

// A whole line, or a piece of one in the body.
void ReleasedContent::line(std::string_view text, std::string& out) {
  if (in_header_) {
    const auto colon = text.find(':');
    if (is_blank(text.front())) {
      if (is_dropped_) return;
    } else if (colon == std::string_view::npos ||
               !is_field_name(trim(text.substr(0, colon)))) {
      in_header_ = false;
    } else {
      is_dropped_ = is_own_field(text.substr(0, colon));
      if (is_dropped_) return;
    }
  }
  if (at_line_start_ && text.front() == '.') out += '.';
  out += text;
  at_line_start_ = text.back() == '\n';
}

std::string ReleasedContent::finish() {
  std::string out;
  if (!pending_.empty()) line(std::exchange(pending_, {}), out);
  if (!at_line_start_) out += "\r\n";
  return out + ".\r\n";
}

}  // namespace mxfeed::quarantine
