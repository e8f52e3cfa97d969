// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is said to rspamd and SpamAssassin's spamd about a message, and what they answer.
// Pure; answers may be any bytes.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/mail/envelope.h"
#include "common/policy/domain_policy.h"
#include "milters/spam/evidence/evidence.h"

namespace mxfeed::spam {

// A larger message is not shown to an engine: theirs would be no answer in time.
inline constexpr std::size_t kMostForEngine = std::size_t{1} << 20;
inline constexpr std::size_t kMostAnswer = std::size_t{256} << 10;

// Puts a message together again as it streams by.
class RawMessage {
 public:
  // `value` as a milter gets it: with its leading blank, folded with LF.
  void field(std::string_view name, std::string_view value);
  void body(std::string_view chunk);
  // CRLF line ends; cut behind kMostForEngine.
  const std::string& text() const { return text_; }

 private:
  void add(std::string_view bytes);
  std::string text_;
  bool in_body_ = false;
};

struct EngineQuestion {
  const Envelope& envelope;
  std::string_view message;  // as received, CRLF line ends
  std::string_view host;     // this one
  Time now;
};

struct EngineAnswer {
  double score = 0;
  double spam_from = 0;              // the score from which it calls a message spam
  std::vector<std::string> symbols;  // the rules that matched
};

// The fields of a request to rspamd: "IP", "Helo", "From", "Rcpt"...
std::vector<std::pair<std::string, std::string>> rspamd_fields(const EngineQuestion& of);
std::optional<EngineAnswer> parse_rspamd(std::string_view json);

// A whole request to spamd (SPAMC/1.5, SYMBOLS), with a Received field for its rules
// about the client.
std::string spamd_request(const EngineQuestion& of);
std::optional<EngineAnswer> parse_spamd(std::string_view answer);

// At the score from which the engine says spam, a message is "low"; the levels above
// follow at 1.8 and 2.7 times of it.
Evidence engine_evidence(const EngineAnswer& answer, EngineRole role);

}  // namespace mxfeed::spam
