// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a customer's server says to `mxfeed verify`.

#include "common/net/smtp_reply.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  using State = smtp::ParsedReply::State;
  std::string_view rest = fuzz::as_text(data, size);
  for (;;) {
    const auto parsed = smtp::parse_reply(rest);
    if (parsed.state == State::malformed) {
      fuzz::require(!parsed.problem.empty(), "what is malformed has a cause");
      return 0;
    }
    // A reply is not taken before its last octet.
    if (parsed.state == State::partial) return 0;
    fuzz::require(parsed.used > 0 && parsed.used <= rest.size(), "it is in the octets");
    fuzz::require(
        smtp::parse_reply(rest.substr(0, parsed.used - 1)).state == State::partial,
        "without its last octet it is no reply");
    fuzz::require(parsed.reply.code >= 200 && parsed.reply.code < 600, "a code");
    const auto text = parsed.reply.text();
    fuzz::require(text.find_first_of("\r\n") == std::string::npos, "text is one line");
    const smtp::Hello hello{parsed.reply, true};
    hello.size();
    hello.offers("STARTTLS");
    rest.remove_prefix(parsed.used);
  }
}
