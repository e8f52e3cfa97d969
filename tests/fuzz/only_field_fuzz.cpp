// SPDX-License-Identifier: GPL-2.0-or-later
//
// The header of a queued message, as postcat(1) prints it.

#include "common/base/text.h"
#include "common/net/sender_field.h"
#include "postfix-conf/queue/only_field.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  OnlyField field{std::string(kSenderField)};
  for (const auto line : split(fuzz::as_text(data, size), '\n')) field.add(line);
  const auto value = field.value();
  if (!value) return 0;
  fuzz::require(value->find_first_of("\r\n") == std::string::npos, "a value is one line");
  is_verified(*value);
  return 0;
}
