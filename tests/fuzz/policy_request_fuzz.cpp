// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a client of mxfeed-recipients sends.

#include "postfix-conf/recipients/policy_request.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed::recipients;
  using mxfeed::fuzz::require;
  using State = ParsedRequest::State;
  std::string_view rest = mxfeed::fuzz::as_text(data, size);
  for (;;) {
    const auto parsed = parse_policy_request(rest);
    if (parsed.state == State::malformed) {
      require(!parsed.problem.empty(), "what is malformed has a cause");
      return 0;
    }
    if (parsed.state == State::partial) {
      require(rest.size() < ParsedRequest::kMaxTotal, "partial requests are bounded");
      return 0;
    }
    require(parsed.used > 0 && parsed.used <= rest.size(), "it is in the octets");
    require(parsed.used <= ParsedRequest::kMaxTotal, "requests are bounded");
    require(parse_policy_request(rest.substr(0, parsed.used - 1)).state == State::partial,
            "without its last octet it is no request");
    if (const auto recipient = Recipient::parse(parsed.request.recipient)) {
      const auto text = recipient->str();
      require(text.find_first_of("\r\n") == std::string::npos, "one line for RCPT TO");
      require(text.find('\0') == std::string::npos, "no NUL for RCPT TO");
      const auto again = Recipient::parse(recipient->key());
      require(again && again->key() == recipient->key(), "a key is its own key");
    }
    rest.remove_prefix(parsed.used);
  }
}
