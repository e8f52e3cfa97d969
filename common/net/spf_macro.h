// SPDX-License-Identifier: GPL-2.0-or-later
//
// Macros of SPF records (RFC 7208, 7).

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/mail/address.h"

namespace mxfeed::spf {

// Where a text with macros stands.
enum class MacroPlace {
  domain,       // no %{c}, %{r}, %{t}
  explanation,  // has spaces
  modifier,     // an unknown modifier: all macros, no spaces
};

// Whether the text is a macro-string.
bool is_macro_string(std::string_view text, MacroPlace place);
// Whether the text is a domain-spec: a macro-string that ends with a top label or a
// macro.
bool is_domain_spec(std::string_view text);

// What macros stand for; by their letters in RFC 7208, 7.2.
struct MacroValues {
  std::string sender;                           // s
  std::string local_part;                       // l
  std::string sender_domain;                    // o
  std::string domain;                           // d
  IpAddress ip;                                 // i, c, v
  std::function<std::string()> validated_name;  // p; asked only if it is used
  std::string helo;                             // h
  std::string receiver;                         // r
  Time time;                                    // t
};

// The text of a macro-string with its macros expanded; nothing if it is not one, or if it
// grows beyond 64 KiB.
std::optional<std::string> expand(std::string_view text, MacroPlace place,
                                  const MacroValues& values);

// The name that a domain-spec stands for, without a final dot; labels are removed from
// the left until it has at most 253 octets (7.3).  It need not be a valid name.  Nothing
// as above.
std::optional<std::string> expand_domain(std::string_view text,
                                         const MacroValues& values);

}  // namespace mxfeed::spf
