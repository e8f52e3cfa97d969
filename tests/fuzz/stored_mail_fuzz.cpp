// SPDX-License-Identifier: GPL-2.0-or-later
//
// A file of a mailbox: the fields of its delivery, and what came.

#include "postfix-conf/mailbox/stored_mail.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  const auto text = fuzz::as_text(data, size);
  const auto stored = parse_stored(text);
  if (!stored) return 0;
  fuzz::require(stored->begin > 0 && stored->begin <= text.size(), "within the text");
  fuzz::require(text[stored->begin - 1] == '\n', "at the beginning of a line");
  fuzz::require(stored->sender.find_first_of("\r\n") == std::string::npos,
                "a sender is one line");
  return 0;
}
