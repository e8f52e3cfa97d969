// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/leaf.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "common/mail/charset.h"

namespace mxfeed::virus {
namespace {

// Charsets in which ASCII characters are not the bytes that signatures are made of.
bool hides_ascii(std::string_view charset) {
  for (const std::string_view prefix :
       {"utf-16", "utf16",   "utf-32",    "utf32",     "utf-7",   "utf7",   "ucs-2",
        "ucs-4",  "unicode", "x-unicode", "iso-10646", "hz",      "ibm037", "cp037",
        "ebcdic", "ibm273",  "ibm500",    "cp500",     "ibm1047", "cp1047", "ibm1140"}) {
    if (charset.starts_with(prefix)) return true;
  }
  return false;
}

bool has_wide_mark(std::string_view head) {
  using std::string_view_literals::operator""sv;
  return head.starts_with("\xFF\xFE"sv) || head.starts_with("\xFE\xFF"sv) ||
         head.starts_with("\0\0\xFE\xFF"sv);
}

// Text in a charset that signatures do not know, or a file that browsers take for such
// text by its byte order mark.
bool is_wide_text(const mime::Part& part, std::string_view head) {
  return has_wide_mark(head) || (part.is_text() && hides_ascii(part.charset));
}

}  // namespace

bool wants_examination(const mime::Part& part, std::string_view head) {
  return is_wide_text(part, head);
}

void examine(const mime::Part& part, std::string_view content, LeafUser& user) {
  if (is_wide_text(part, content)) user.file(to_utf8(content, part.charset));
}

}  // namespace mxfeed::virus
