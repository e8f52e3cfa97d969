// SPDX-License-Identifier: GPL-2.0-or-later
//
// Names in From, beside one that a domain protects.

#include "milters/spam/evidence/look.h"

#include <string>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  const std::string_view text = fuzz::as_text(data, size);
  static_cast<void>(spam::shows_name(text, "Anna Beck"));
  static_cast<void>(spam::shows_name("Anna Beck", text));
  if (spam::shows_name(text, text) && size < 400) {
    fuzz::require(
        spam::shows_name(std::string(text) + " Anna", "Anna " + std::string(text)),
        "the order of words does not matter");
  }
  return 0;
}
