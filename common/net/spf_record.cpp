// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/spf_record.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/net/spf_macro.h"

namespace mxfeed::spf {
namespace {

constexpr std::string_view kVersion = "v=spf1";
constexpr std::size_t kMaxQuoted = 80;  // of a term in a problem

struct MechanismName {
  std::string_view name;
  MechanismType type;
};

constexpr MechanismName kMechanisms[] = {
    {"all", MechanismType::all}, {"include", MechanismType::include},
    {"a", MechanismType::a},     {"mx", MechanismType::mx},
    {"ptr", MechanismType::ptr}, {"ip4", MechanismType::ip4},
    {"ip6", MechanismType::ip6}, {"exists", MechanismType::exists},
};

std::optional<Result> qualifier(char c) {
  switch (c) {
    case '+':
      return Result::pass;
    case '-':
      return Result::fail;
    case '~':
      return Result::softfail;
    case '?':
      return Result::neutral;
    default:
      return std::nullopt;
  }
}

bool is_name_character(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
}

// The length of a modifier's name; 0 if the term is not a modifier.
std::size_t modifier_length(std::string_view term) {
  if (term.empty() || !is_letter(term[0])) return 0;
  const auto end = std::find_if_not(term.begin(), term.end(), is_name_character);
  return end != term.end() && *end == '=' ? static_cast<std::size_t>(end - term.begin())
                                          : 0;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// Without leading zeros.
std::optional<unsigned> prefix_length(std::string_view text, unsigned most) {
  if (!is_number(text) || text.size() > 3 || (text.size() > 1 && text[0] == '0')) {
    return std::nullopt;
  }
  const auto value = parse_unsigned(text);
  if (!value || *value > most) return std::nullopt;
  return static_cast<unsigned>(*value);
}

// Takes "/24", "//64" or "/24//64" off the end; what is wrong, or nothing.
const char* take_prefix_lengths(std::string_view& rest, Directive& directive) {
  const std::size_t two = rest.rfind("//");
  if (two != std::string_view::npos && is_number(rest.substr(two + 2))) {
    const auto bits = prefix_length(rest.substr(two + 2), 128);
    if (!bits) return "not a prefix length of IPv6";
    directive.v6_bits = *bits;
    rest = rest.substr(0, two);
  }
  const std::size_t one = rest.rfind('/');
  if (one != std::string_view::npos && is_number(rest.substr(one + 1))) {
    const auto bits = prefix_length(rest.substr(one + 1), 32);
    if (!bits) return "not a prefix length of IPv4";
    directive.v4_bits = *bits;
    rest = rest.substr(0, one);
  }
  return nullptr;
}

const char* take_network(std::string_view rest, Directive& directive) {
  if (!rest.starts_with(':')) return "no network";
  rest.remove_prefix(1);
  const bool is_v4 = directive.type == MechanismType::ip4;
  const std::size_t slash = rest.find('/');
  const std::string_view text = rest.substr(0, slash);
  unsigned bits = is_v4 ? 32 : 128;
  if (slash != std::string_view::npos) {
    const auto given = prefix_length(rest.substr(slash + 1), bits);
    if (!given) return "not a prefix length";
    bits = *given;
  }
  const auto address = IpAddress::parse(text);
  if (!address || (text.find(':') == std::string_view::npos) != is_v4) {
    return "not an address of its family";
  }
  // A mapped IPv4 address is not an IPv6 address to us, nor is such a client (5).
  if (address->is_v4() == is_v4) directive.network = Network{*address, bits};
  return nullptr;
}

const char* take_domain(std::string_view rest, bool is_required, Directive& directive) {
  if (rest.empty()) return is_required ? "no domain" : nullptr;
  if (!rest.starts_with(':')) return "unexpected text after its name";
  rest.remove_prefix(1);
  if (!is_domain_spec(rest)) return "not a domain";
  directive.domain_spec = rest;
  return nullptr;
}

const char* take_arguments(std::string_view rest, Directive& directive) {
  switch (directive.type) {
    case MechanismType::all:
      return rest.empty() ? nullptr : "unexpected text after its name";
    case MechanismType::include:
    case MechanismType::exists:
      return take_domain(rest, true, directive);
    case MechanismType::a:
    case MechanismType::mx:
      if (const char* const wrong = take_prefix_lengths(rest, directive)) return wrong;
      return take_domain(rest, false, directive);
    case MechanismType::ptr:
      return take_domain(rest, false, directive);
    case MechanismType::ip4:
    case MechanismType::ip6:
      return take_network(rest, directive);
  }
  return nullptr;
}

const char* take_directive(std::string_view term, SpfRecord& record) {
  Directive directive{Result::pass, MechanismType::all, "", std::nullopt, 32, 128, ""};
  if (const auto result = qualifier(term[0])) {
    directive.result = *result;
    term.remove_prefix(1);
  }
  directive.mechanism = term;
  const std::string_view name = term.substr(0, term.find_first_of(":/"));
  const auto* const known =
      std::find_if(std::begin(kMechanisms), std::end(kMechanisms),
                   [name](const MechanismName& m) { return iequals(m.name, name); });
  if (known == std::end(kMechanisms)) return "unknown mechanism";
  directive.type = known->type;
  if (const char* const wrong = take_arguments(term.substr(name.size()), directive)) {
    return wrong;
  }
  record.directives.push_back(std::move(directive));
  return nullptr;
}

const char* take_modifier(std::string_view name, std::string_view value,
                          SpfRecord& record) {
  std::optional<std::string>* known = nullptr;
  if (iequals(name, "redirect")) known = &record.redirect;
  if (iequals(name, "exp")) known = &record.explanation;
  if (known == nullptr) {
    return is_macro_string(value, MacroPlace::modifier) ? nullptr : "malformed macro";
  }
  if (*known) return "duplicate";
  if (!is_domain_spec(value)) return "not a domain";
  *known = value;
  return nullptr;
}

}  // namespace

std::string_view to_string(Result result) {
  switch (result) {
    case Result::none:
      return "none";
    case Result::neutral:
      return "neutral";
    case Result::pass:
      return "pass";
    case Result::fail:
      return "fail";
    case Result::softfail:
      return "softfail";
    case Result::temperror:
      return "temperror";
    case Result::permerror:
      return "permerror";
  }
  return "";
}

std::optional<Result> parse_result(std::string_view name) {
  for (const Result result : {Result::none, Result::neutral, Result::pass, Result::fail,
                              Result::softfail, Result::temperror, Result::permerror}) {
    if (name == to_string(result)) return result;
  }
  return std::nullopt;
}

bool is_spf_record(std::string_view text) {
  return istarts_with(text, kVersion) &&
         (text.size() == kVersion.size() || text[kVersion.size()] == ' ');
}

std::optional<SpfRecord> parse_record(std::string_view text, std::string& problem) {
  if (!is_spf_record(text)) {
    problem = "no SPF record";
    return std::nullopt;
  }
  if (text.size() > kMaxRecord) {
    problem = "SPF record larger than " + std::to_string(kMaxRecord) + " bytes";
    return std::nullopt;
  }
  SpfRecord record;
  for (const std::string_view term : split(text.substr(kVersion.size()), ' ')) {
    if (term.empty()) continue;
    const std::size_t name = modifier_length(term);
    const char* const wrong =
        name > 0 ? take_modifier(term.substr(0, name), term.substr(name + 1), record)
                 : take_directive(term, record);
    if (wrong != nullptr) {
      problem = std::string(term.substr(0, kMaxQuoted)) + ": " + wrong;
      return std::nullopt;
    }
  }
  return record;
}

}  // namespace mxfeed::spf
