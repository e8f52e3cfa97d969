// SPDX-License-Identifier: GPL-2.0-or-later
//
// The field Authentication-Results: what a server found out about who sent a message (RFC
// 8601).  Who may be believed is for the caller to decide.  Takes any bytes, in linear
// time.  Pure, thread-safe; does not throw.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mxfeed {

constexpr std::string_view kAuthenticationResults = "Authentication-Results";

// One method and what it found: "dkim=pass (2048-bit key) header.d=example.org".
struct MethodResult {
  std::string method;    // lower case, without its version: "dkim"
  std::string result;    // lower case: "pass"
  std::string comments;  // what stands in parentheses, separated by blanks
  std::vector<std::pair<std::string, std::string>> properties;  // "header.d"; lower case

  // The first property of that name; empty if there is none.
  std::string_view property(std::string_view name) const;
};

struct AuthenticationResults {
  // Of one field; what follows is left out.
  static constexpr std::size_t kMostResults = 50;
  static constexpr std::size_t kMostProperties = 20;  // of each

  std::string server;  // authserv-id, as written
  std::vector<MethodResult> results;

  // Nothing if there is no authserv-id.  What cannot be read after it ends the list of
  // results: an error must not turn into a pass.
  static std::optional<AuthenticationResults> parse(std::string_view value);
};

}  // namespace mxfeed
