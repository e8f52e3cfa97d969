// SPDX-License-Identifier: GPL-2.0-or-later
//
// A file of recipients, or what a program printed.

#include <algorithm>

#include "postfix-conf/config/recipient_files.h"
#include "postfix-conf/config/settings.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  const auto text = fuzz::as_text(data, size);
  const auto file = RecipientFile::parse(text);
  const auto list = file.of("acme.example");
  fuzz::require(std::is_sorted(list.begin(), list.end()), "in ascending order");
  std::string written;
  for (const auto& one : list) {
    fuzz::require(is_local_part(one), "local parts only");
    written += one + "\n";
  }
  const auto again = RecipientFile::parse(written);
  fuzz::require(!again.damage(), "what is stored can be read");
  fuzz::require(again.of("acme.example") == list, "and is the same");
  if (file.damage()) fuzz::require(file.damage()->line > 0, "damage has a place");
  return 0;
}
