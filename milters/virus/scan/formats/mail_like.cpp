// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/mail_like.h"

#include <cstddef>

namespace mxfeed::virus {

bool is_mail_like(std::string_view content) {
  constexpr std::size_t kMaxName = 80;
  if (content.starts_with("\n") || content.starts_with("\r\n")) return true;
  if (content.starts_with("From ")) return true;  // as in a mailbox file
  for (std::size_t i = 0; i < content.size() && i <= kMaxName; ++i) {
    const char c = content[i];
    if (c == ':') return i > 0;
    // RFC 5322, 2.2; programs take blanks before the colon.
    if ((c <= ' ' || c > '~') && c != ' ' && c != '\t') return false;
  }
  return false;
}

}  // namespace mxfeed::virus
