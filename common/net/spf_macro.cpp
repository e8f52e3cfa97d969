// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/spf_macro.h"

#include <algorithm>
#include <cstddef>
#include <variant>
#include <vector>

#include "common/base/text.h"
#include "common/net/dns.h"

namespace mxfeed::spf {
namespace {

constexpr std::size_t kMaxExpanded = std::size_t{64} * 1024;
constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxParts = 128;  // RFC 7208, 7.1: at least 127

struct Macro {
  char letter;  // lower case
  bool is_escaped;
  std::size_t parts;  // from the right; 0: all
  bool is_reversed;
  std::string_view delimiters;
};

// The text of a token that stands for itself, or a macro.
using Token = std::variant<std::string_view, Macro>;

bool is_delimiter(char c) {
  return std::string_view(".-+,/_=").find(c) != std::string_view::npos;
}

// RFC 7208, 7.1: "{" has been read; the length of what follows, with "}".
std::optional<std::size_t> read_macro(std::string_view text, MacroPlace place,
                                      Macro& macro) {
  const std::string_view letters =
      place == MacroPlace::domain ? "slodiphv" : "slodiphcrtv";
  if (text.empty() || letters.find(ascii_lower(text[0])) == std::string_view::npos) {
    return std::nullopt;
  }
  macro = {ascii_lower(text[0]), text[0] < 'a', 0, false, "."};
  std::size_t at = 1;
  const std::size_t digits = at;
  while (at < text.size() && is_digit(text[at])) {
    macro.parts =
        std::min(macro.parts * 10 + static_cast<std::size_t>(text[at] - '0'), kMaxParts);
    ++at;
  }
  if (at > digits && macro.parts == 0) return std::nullopt;
  if (at < text.size() && ascii_lower(text[at]) == 'r') {
    macro.is_reversed = true;
    ++at;
  }
  const std::size_t delimiters = at;
  while (at < text.size() && is_delimiter(text[at])) ++at;
  if (at > delimiters) macro.delimiters = text.substr(delimiters, at - delimiters);
  if (at == text.size() || text[at] != '}') return std::nullopt;
  return at + 1;
}

bool is_literal(char c, MacroPlace place) {
  return (c > ' ' && c <= '~') || (c == ' ' && place == MacroPlace::explanation);
}

// Literals come one character a token, but for runs without '%'.
std::optional<std::vector<Token>> tokens_of(std::string_view text, MacroPlace place) {
  std::vector<Token> tokens;
  while (!text.empty()) {
    if (text[0] != '%') {
      const std::string_view run = text.substr(0, text.find('%'));
      if (!std::all_of(run.begin(), run.end(),
                       [place](char c) { return is_literal(c, place); })) {
        return std::nullopt;
      }
      tokens.emplace_back(run);
      text.remove_prefix(run.size());
      continue;
    }
    if (text.size() < 2) return std::nullopt;
    std::size_t length = 2;
    switch (text[1]) {
      case '%':
        tokens.emplace_back(std::string_view("%"));
        break;
      case '_':
        tokens.emplace_back(std::string_view(" "));
        break;
      case '-':
        tokens.emplace_back(std::string_view("%20"));
        break;
      case '{': {
        Macro macro{};
        const auto rest = read_macro(text.substr(2), place, macro);
        if (!rest) return std::nullopt;
        length += *rest;
        tokens.emplace_back(macro);
        break;
      }
      default:
        return std::nullopt;
    }
    text.remove_prefix(length);
  }
  return tokens;
}

std::string value_of(char letter, const MacroValues& values) {
  switch (letter) {
    case 's':
      return values.sender;
    case 'l':
      return values.local_part;
    case 'o':
      return values.sender_domain;
    case 'd':
      return values.domain;
    case 'i':
      return dns::dotted(values.ip);
    case 'p':
      return values.validated_name();
    case 'v':
      return values.ip.is_v4() ? "in-addr" : "ip6";
    case 'h':
      return values.helo;
    case 'c':
      return values.ip.str();
    case 'r':
      return values.receiver;
    default:
      return std::to_string(values.time.time_since_epoch().count());
  }
}

std::string transformed(const std::string& value, const Macro& macro) {
  std::vector<std::string_view> parts;
  std::string_view rest = value;
  for (;;) {
    const std::size_t end = rest.find_first_of(macro.delimiters);
    parts.push_back(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (macro.is_reversed) std::reverse(parts.begin(), parts.end());
  const std::size_t kept =
      macro.parts == 0 ? parts.size() : std::min(macro.parts, parts.size());
  std::string text;
  for (std::size_t i = parts.size() - kept; i < parts.size(); ++i) {
    if (i > parts.size() - kept) text += '.';
    text += parts[i];
  }
  return text;
}

// RFC 3986, 2.3: all but the unreserved characters.
std::string url_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) ||
        std::string_view("-._~").find(c) != std::string_view::npos) {
      result += c;
    } else {
      const auto octet = static_cast<unsigned char>(c);
      result += '%';
      result += "0123456789ABCDEF"[octet >> 4U];
      result += "0123456789ABCDEF"[octet & 15U];
    }
  }
  return result;
}

// toplabel of RFC 7208, 7.1: letters, digits and inner hyphens; not digits alone.
bool is_top_label(std::string_view label) {
  if (label.empty() || label.front() == '-' || label.back() == '-') return false;
  const auto is_allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '-'; };
  return std::all_of(label.begin(), label.end(), is_allowed) &&
         !std::all_of(label.begin(), label.end(), is_digit);
}

}  // namespace

bool is_macro_string(std::string_view text, MacroPlace place) {
  return tokens_of(text, place).has_value();
}

bool is_domain_spec(std::string_view text) {
  const auto tokens = tokens_of(text, MacroPlace::domain);
  if (!tokens || tokens->empty()) return false;
  const auto* const tail = std::get_if<std::string_view>(&tokens->back());
  // "%%", "%_" and "%-" end a domain-spec as a macro does.
  if (tail == nullptr || tail->data() < text.data() ||
      tail->data() >= text.data() + text.size()) {
    return true;
  }
  std::string_view end = *tail;
  if (end.ends_with('.')) end.remove_suffix(1);
  const std::size_t dot = end.rfind('.');
  return dot != std::string_view::npos && is_top_label(end.substr(dot + 1));
}

std::optional<std::string> expand(std::string_view text, MacroPlace place,
                                  const MacroValues& values) {
  const auto tokens = tokens_of(text, place);
  if (!tokens) return std::nullopt;
  std::string result;
  for (const Token& token : *tokens) {
    if (const Macro* const macro = std::get_if<Macro>(&token)) {
      const std::string value = transformed(value_of(macro->letter, values), *macro);
      result += macro->is_escaped ? url_escaped(value) : value;
    } else {
      result += std::get<std::string_view>(token);
    }
    if (result.size() > kMaxExpanded) return std::nullopt;
  }
  return result;
}

std::optional<std::string> expand_domain(std::string_view text,
                                         const MacroValues& values) {
  auto name = expand(text, MacroPlace::domain, values);
  if (!name) return std::nullopt;
  if (name->ends_with('.')) name->pop_back();
  while (name->size() > kMaxName) {
    const std::size_t dot = name->find('.');
    if (dot == std::string::npos) break;
    name->erase(0, dot + 1);
  }
  return name;
}

}  // namespace mxfeed::spf
