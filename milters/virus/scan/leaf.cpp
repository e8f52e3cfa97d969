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

// A file that is not encoded although it is not text: on its way, each of its LF became
// CR LF, and programs that save it change them back.
bool is_raw_file(const mime::Part& part, std::string_view head) {
  return part.kind == mime::Part::Kind::leaf && part.encoding == mime::Encoding::none &&
         !part.is_text() && std::any_of(head.begin(), head.end(), [](char c) {
           return c == '\0' || static_cast<unsigned char>(c) > 127;
         });
}

std::string with_lf(std::string_view content) {
  std::string out;
  out.reserve(content.size());
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (content[i] != '\r' || i + 1 == content.size() || content[i + 1] != '\n') {
      out += content[i];
    }
  }
  return out;
}

// A file at the end of a message, in quoted-printable or as it is: some programs leave
// off the last line end.
bool may_lose_last_end(const mime::Part& part) {
  const bool is_file = !part.is_text() || !part.file_names.empty();
  return is_file && (part.encoding == mime::Encoding::quoted_printable ||
                     (part.encoding == mime::Encoding::none && part.has_no_end));
}

std::string_view without_last_end(std::string_view content) {
  if (content.ends_with('\n')) content.remove_suffix(1);
  if (content.ends_with('\r')) content.remove_suffix(1);
  return content;
}

}  // namespace

bool wants_examination(const mime::Part& part, std::string_view head) {
  return is_wide_text(part, head) || is_raw_file(part, head) || may_lose_last_end(part);
}

void examine(const mime::Part& part, std::string_view content, LeafUser& user) {
  if (is_wide_text(part, content)) {
    const std::string text = to_utf8(content, part.charset);
    user.file(text);
    if (part.has_no_end) user.file(without_last_end(text));
  }
  if (is_raw_file(part, content.substr(0, kLeafHead))) user.file(with_lf(content));
  if (may_lose_last_end(part)) {
    const std::string_view shorter = without_last_end(content);
    if (shorter.size() < content.size()) user.file(shorter);
  }
}

}  // namespace mxfeed::virus
