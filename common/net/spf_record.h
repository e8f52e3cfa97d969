// SPDX-License-Identifier: GPL-2.0-or-later
//
// The syntax of SPF records (RFC 7208, 4.5, 4.6, 5, 6 and 12).

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/address.h"

namespace mxfeed::spf {

// RFC 7208, 2.6.
enum class Result { none, neutral, pass, fail, softfail, temperror, permerror };

std::string_view to_string(Result result);
// The result of that name, in lower case.
std::optional<Result> parse_result(std::string_view name);

enum class MechanismType { all, include, a, mx, ptr, ip4, ip6, exists };

// A directive: a mechanism and its qualifier.
struct Directive {
  Result result;  // if it matches: pass, fail, softfail or neutral
  MechanismType type;
  std::string domain_spec;         // empty: the domain that is checked
  std::optional<Network> network;  // of ip4 and ip6; nothing if no client can match
  unsigned v4_bits = 32;           // of a and mx
  unsigned v6_bits = 128;
  std::string mechanism;  // as in the record, without its qualifier
};

struct SpfRecord {
  std::vector<Directive> directives;
  std::optional<std::string> redirect;     // a domain-spec
  std::optional<std::string> explanation;  // "exp", a domain-spec
};

// A larger record is a permanent error.
constexpr std::size_t kMaxRecord = 8192;

// Whether the text of a TXT record is an SPF record, be it a malformed one (4.5).
bool is_spf_record(std::string_view text);

// Parses an SPF record.  Nothing if it is malformed; then `problem` names the term and
// what is wrong with it.
std::optional<SpfRecord> parse_record(std::string_view text, std::string& problem);

}  // namespace mxfeed::spf
