// SPDX-License-Identifier: GPL-2.0-or-later
//
// Answers of rspamd and spamd, and what a client said that becomes part of a request.

#include "milters/spam/engine/engine.h"

#include <cmath>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  const std::string_view text = fuzz::as_text(data, size);
  for (const auto& answer : {spam::parse_rspamd(text), spam::parse_spamd(text)}) {
    if (!answer) continue;
    fuzz::require(std::isfinite(answer->score), "a score is a number");
    fuzz::require(answer->spam_from > 0, "spam begins above zero");
    for (const auto role : {EngineRole::verdict, EngineRole::evidence}) {
      fuzz::require(std::abs(engine_evidence(*answer, role).logit) <= 7, "a bound");
    }
    for (const std::string& symbol : answer->symbols) {
      fuzz::require(symbol.find_first_of("\r\n") == symbol.npos, "one line");
    }
  }

  Envelope envelope;
  envelope.helo = text;
  envelope.sender = text;
  envelope.client.name = text;
  envelope.recipients.push_back(Recipient::parse(text));
  const spam::EngineQuestion question{envelope, "", "", Time{}};
  for (const auto& [name, value] : rspamd_fields(question)) {
    fuzz::require(value.find_first_of("\r\n") == value.npos, "a field is one line");
  }
  std::size_t lines = 0;
  for (const char c : spamd_request(question)) lines += c == '\n' ? 1 : 0;
  fuzz::require(lines == 6, "no line is added to a request");
  return 0;
}
