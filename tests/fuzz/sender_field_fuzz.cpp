// SPDX-License-Identifier: GPL-2.0-or-later
//
// X-Mxfeed-Sender: its value in a queued message, and the domain that a stranger gave.

#include "common/net/sender_field.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  const std::string_view text = fuzz::as_text(data, size);

  const auto parsed = parse_sender_check(text);
  fuzz::require(is_verified(text) == (parsed && parsed->is_verified()), "one verdict");
  if (parsed) {
    fuzz::require(parse_sender_check(compose(*parsed)) == parsed, "it stays what it is");
  }

  for (const auto identity : {SenderIdentity::mail_from, SenderIdentity::helo}) {
    const auto check = sender_check(spf::Result::pass, identity, text);
    const std::string value = compose(check);
    fuzz::require(value.size() < 300, "a value is short");
    for (const char c : value) {
      fuzz::require(c >= ' ' && c <= '~', "it is one line of ASCII");
    }
    const auto again = parse_sender_check(value);
    fuzz::require(again && again->domain == check.domain, "what is composed is parsed");
    fuzz::require(again->is_verified() == check.is_verified(), "with the same verdict");
  }
  return 0;
}
