// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/policy_request.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.h"

namespace mxfeed::recipients {
namespace {

// RFC 5321, 4.5.3.1.1 allows 64 octets; Postfix takes more, and so may the server.
constexpr std::size_t kMaxLocalPart = 256;

ParsedRequest malformed(std::string problem) {
  ParsedRequest parsed;
  parsed.state = ParsedRequest::State::malformed;
  parsed.problem = std::move(problem);
  return parsed;
}

std::string* field(PolicyRequest& request, std::string_view name) {
  const std::array<std::pair<std::string_view, std::string*>, 5> fields = {{
      {"request", &request.request},
      {"protocol_state", &request.protocol_state},
      {"recipient", &request.recipient},
      {"policy_context", &request.policy_context},
      {"instance", &request.instance},
  }};
  for (const auto& [known, value] : fields) {
    if (name == known) return value;
  }
  return nullptr;
}

}  // namespace

ParsedRequest parse_policy_request(std::string_view received) {
  ParsedRequest parsed;
  std::string_view rest = received.substr(0, ParsedRequest::kMaxTotal);
  for (;;) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) {
      if (rest.size() > ParsedRequest::kMaxLine) return malformed("line too long");
      if (received.size() >= ParsedRequest::kMaxTotal) {
        return malformed("request too long");
      }
      return parsed;
    }
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line.size() > ParsedRequest::kMaxLine) return malformed("line too long");
    if (line.empty()) break;
    if (line.find('\0') != std::string_view::npos) return malformed("NUL in a line");
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return malformed("a line without name=value");
    }
    std::string* const value = field(parsed.request, line.substr(0, equals));
    if (value != nullptr && value->empty()) *value = line.substr(equals + 1);
  }
  if (parsed.request.request.empty()) return malformed("no request attribute");
  parsed.state = ParsedRequest::State::whole;
  parsed.used = static_cast<std::size_t>(rest.data() - received.data());
  return parsed;
}

std::string render_policy_reply(Verdict verdict) {
  switch (verdict) {
    case Verdict::accept:
      break;
    case Verdict::refuse:
      return "action=550 5.1.1 no such recipient\n\n";
    case Verdict::try_again:
      return "action=450 4.1.1 recipient cannot be verified at present, try again "
             "later\n\n";
  }
  return render_no_opinion();
}

std::string render_no_opinion() {
  return "action=DUNNO\n\n";
}

std::optional<Recipient> Recipient::parse(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > kMaxLocalPart) return std::nullopt;
  const std::string_view local_part = text.substr(0, at);
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20) || c == '\x7f';
  };
  if (std::any_of(local_part.begin(), local_part.end(), is_control)) return std::nullopt;
  for (std::string_view rest = local_part; !rest.empty();) {
    const std::size_t length = utf8_length(rest);
    if (length == 0) return std::nullopt;
    rest.remove_prefix(length);
  }
  const auto domain = Domain::parse(text.substr(at + 1));
  if (!domain) return std::nullopt;
  return Recipient(std::string(local_part), domain->str());
}

bool Recipient::needs_smtputf8() const {
  return !is_ascii(local_part_);
}

std::string Recipient::str() const {
  return Path{local_part_, domain_}.str();
}

std::string Recipient::key() const {
  return ascii_lower(local_part_) + "@" + domain_;
}

}  // namespace mxfeed::recipients
