// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/mail/date.h"
#include "milters/spam/evidence/table.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kMostWord = 1000;  // of what the client said
constexpr std::size_t kMostSymbols = 200;

// In one line of printable characters: it becomes part of a header.
std::string word(std::string_view text) {
  std::string clean;
  for (const char c : text.substr(0, kMostWord)) {
    clean += c >= ' ' && c != '\x7f' ? c : '?';
  }
  return clean;
}

std::string address_of(const Client& client) {
  return client.address ? client.address->str() : "127.0.0.1";
}

// The number that the text begins with; nothing for one that is not finite.
std::optional<double> number(std::string_view text) {
  const std::string copy(text.substr(0, 40));
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  if (end == copy.c_str() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> number(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

// rspamd's own default for "add header", which it calls spam.
constexpr double kRspamdSpam = 6;

double rspamd_spam_from(const nlohmann::json& answer) {
  const auto thresholds = answer.find("thresholds");
  if (thresholds == answer.end() || !thresholds->is_object()) return kRspamdSpam;
  const double from = number(*thresholds, "add header").value_or(kRspamdSpam);
  return from > 0 ? from : kRspamdSpam;
}

// An action may come without a score: of the test line, or of a rule of the site.
double least_score(const nlohmann::json& answer, double spam_from) {
  constexpr double kHigh = 2.7;
  const auto action = answer.find("action");
  if (action == answer.end() || !action->is_string()) return -HUGE_VAL;
  const auto name = action->get<std::string>();
  if (name == "reject") return kHigh * spam_from;
  if (name == "add header" || name == "rewrite subject") return spam_from;
  return -HUGE_VAL;
}

}  // namespace

void RawMessage::add(std::string_view bytes) {
  const std::size_t room = kMostForEngine + 1 - text_.size();
  text_.append(bytes.substr(0, room));
}

void RawMessage::field(std::string_view name, std::string_view value) {
  add(name);
  add(":");
  for (const std::string_view line : split(value, '\n')) {
    add(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    add("\r\n");
  }
}

void RawMessage::body(std::string_view chunk) {
  if (!in_body_) add("\r\n");
  in_body_ = true;
  add(chunk);
}

std::vector<std::pair<std::string, std::string>> rspamd_fields(const EngineQuestion& of) {
  std::vector<std::pair<std::string, std::string>> fields = {
      {"IP", address_of(of.envelope.client)},
      {"Helo", word(of.envelope.helo)},
      {"From", word(of.envelope.sender)},
      {"MTA-Name", word(of.host)},
  };
  if (!of.envelope.client.name.empty()) {
    fields.emplace_back("Hostname", word(of.envelope.client.name));
  }
  for (const Recipient& one : of.envelope.recipients) {
    fields.emplace_back("Rcpt", word(one.as_received));
  }
  return fields;
}

std::optional<EngineAnswer> parse_rspamd(std::string_view json) {
  const auto answer = nlohmann::json::parse(json, nullptr, false);
  if (!answer.is_object()) return std::nullopt;
  const auto score = number(answer, "score");
  if (!score) return std::nullopt;
  EngineAnswer result{*score, rspamd_spam_from(answer), {}};
  result.score = std::max(result.score, least_score(answer, result.spam_from));
  const auto symbols = answer.find("symbols");
  if (symbols != answer.end() && symbols->is_object()) {
    for (const auto& symbol : symbols->items()) {
      if (result.symbols.size() == kMostSymbols) break;
      result.symbols.push_back(word(symbol.key()));
    }
  }
  return result;
}

std::string spamd_request(const EngineQuestion& of) {
  const Client& client = of.envelope.client;
  const std::string received = fmt::format(
      "Received: from {} ({} [{}{}])\r\n\tby {} (Postfix) with ESMTP;\r\n\t{}\r\n",
      of.envelope.helo.empty() ? "unknown" : word(of.envelope.helo),
      client.name.empty() ? "unknown" : word(client.name),
      client.address && !client.address->is_v4() ? "IPv6:" : "", address_of(client),
      of.host.empty() ? "localhost" : word(of.host), format_date(of.now));
  return fmt::format("SYMBOLS SPAMC/1.5\r\nContent-length: {}\r\n\r\n{}{}",
                     received.size() + of.message.size(), received, of.message);
}

std::optional<EngineAnswer> parse_spamd(std::string_view answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == answer.npos || !answer.starts_with("SPAMD/")) return std::nullopt;
  const std::string_view header = answer.substr(0, end);
  const std::string_view first = header.substr(0, header.find("\r\n"));
  if (!first.ends_with(" 0 EX_OK")) return std::nullopt;
  for (const std::string_view line : split(header, '\n')) {
    if (!istarts_with(line, "Spam:")) continue;
    const std::size_t semicolon = line.find(';');
    const std::size_t slash = line.find('/');
    if (semicolon == line.npos || slash == line.npos || slash < semicolon) break;
    const auto score = number(trim(line.substr(semicolon + 1)));
    const auto from = number(trim(line.substr(slash + 1)));
    if (!score || !from || *from <= 0) break;
    EngineAnswer result{*score, *from, {}};
    for (const std::string_view symbol : split(trim(answer.substr(end)), ',')) {
      if (result.symbols.size() == kMostSymbols) break;
      if (!trim(symbol).empty()) result.symbols.push_back(word(trim(symbol)));
    }
    return result;
  }
  return std::nullopt;
}

Evidence engine_evidence(const EngineAnswer& answer, EngineRole role) {
  constexpr double kWeight = 2.5;  // at the score from which it is spam
  Evidence found = evidence("engine");
  const double logit = kWeight * answer.score / answer.spam_from;
  if (role == EngineRole::verdict) {
    found.logit = std::clamp(logit, -7.0, 7.0);
    found.alone = Alone::high;
  } else {
    found.logit = std::clamp(logit, -1.5, 4.0);
  }
  return found;
}

}  // namespace mxfeed::spam
