// SPDX-License-Identifier: GPL-2.0-or-later
//
// Header fields as text: unfolding, encoded words, character sets, dates, mailboxes.  All
// input is a sender's: every function takes any bytes, takes time linear in them, and
// returns valid UTF-8 where it says so.  Pure functions, thread-safe; none throws.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"

namespace mxfeed {

// Whether it may be the name of a header field (RFC 5322, 2.2): one or more printable
// ASCII characters, no colon, no space.
bool is_field_name(std::string_view name);

// The value without its line breaks and without white space at both ends; the white space
// of a fold stays (RFC 5322, 2.2.3).
std::string unfold(std::string_view value);

// The bytes as valid UTF-8.  An unknown or absent charset is taken for UTF-8 if the bytes
// are valid UTF-8, else for windows-1252; what cannot be converted becomes U+FFFD.
std::string to_utf8(std::string_view bytes, std::string_view charset);
bool is_utf8(std::string_view bytes);

// The text of a field as a reader sees it, in UTF-8: unfolded, encoded words decoded (RFC
// 2047; also inside words and quoted strings and longer than allowed, as mail programs do
// it), white space between encoded words dropped.  What is no encoded word stays.
std::string decode_words(std::string_view value);

// A date-time of RFC 5322, 3.3, with the obsolete forms of 4.3 (two-digit years, zone
// names, comments); also without a weekday or seconds, and with "-" between the parts of
// the date.  Nothing if it is none of these or not a day of the calendar.
std::optional<Time> parse_date(std::string_view value);

// A mailbox of a From, To or Reply-To field.
struct Mailbox {
  std::string display;  // decoded, quoting removed, UTF-8
  std::string address;  // as written, white space removed; may be anything
};
// The mailboxes of an address list (RFC 5322, 3.4), names of groups skipped; at most
// `most`.
std::vector<Mailbox> parse_mailboxes(std::string_view value, std::size_t most = 100);

// Whether the decoded subject begins with the tag, whatever its letters' case and the
// white space in and around it.  An empty tag begins every subject.
bool subject_has_tag(std::string_view subject, std::string_view tag);

// What is encoded as in quoted-printable (RFC 2045, 6.7) or, with `underscore`, as in "Q"
// encoded words; broken escapes stay as they are.
std::string decode_quoted(std::string_view text, bool underscore = false);
// Base64, rubbish skipped; a cut last group gives the bytes it holds.
std::string decode_base64(std::string_view text);

}  // namespace mxfeed
