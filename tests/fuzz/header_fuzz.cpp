// SPDX-License-Identifier: GPL-2.0-or-later
//
// The value of a header field, read as every kind of field.

#include <string>

#include "common/base/text.h"
#include "common/mail/charset.h"
#include "common/mail/date.h"
#include "common/mail/header.h"
#include "common/mail/mailbox.h"
#include "common/mail/mime/fields.h"
#include "common/mail/words.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  using fuzz::require;
  const std::string_view value = fuzz::as_text(data, size);
  const std::string decoded = decode_words(value);
  require(is_utf8(decoded), "decoded words are UTF-8");
  require(decoded.find_first_of("\r\n") == std::string::npos, "no line breaks come out");
  require(decoded.size() <= 3 * size, "decoding is bounded");
  require(unfold(value).find_first_of("\r\n") == std::string::npos, "unfolded");
  for (const Mailbox& mailbox : parse_mailboxes(value)) {
    require(is_utf8(mailbox.display), "display names are UTF-8");
  }
  require(parse_mailboxes(value, 3).size() <= 3, "mailboxes are bounded");
  for (const auto& [name, text] : mime::parse_parameters(value).parameters) {
    require(is_utf8(text), "parameters are UTF-8");
  }
  if (const auto date = parse_date(value)) {
    require(date->time_since_epoch().count() > -3'000'000'000, "years from 1900");
  }
  std::string text = to_utf8(value, "");
  for (char& c : text) {
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  }
  require(decode_words(encode_words(text)) == text, "what is encoded is decoded again");
  static_cast<void>(is_field_name(value));
  for (const std::string& harmless : {escape_line(value), escape_untrusted(value)}) {
    for (std::string_view rest = harmless; !rest.empty();) {
      const std::size_t length = printable_length(rest);
      require(length > 0, "what was escaped is printable");
      rest.remove_prefix(length);
    }
  }
  return 0;
}
