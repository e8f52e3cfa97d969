// SPDX-License-Identifier: GPL-2.0-or-later
//
// Talks to web servers, with libcurl.  No redirection is followed.  Thread-safe.

#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mxfeed::http {

// For all of an exchange, the look-up of the name included.
inline constexpr std::chrono::seconds kPatience{5};
// The longest answer that is read.
inline constexpr std::size_t kMaxBody = 64 << 10;

// The body of a 200 answer over HTTPS from a server whose certificate is valid.  Nothing
// if there is none.
std::optional<std::string> get(const std::string& url);

// Sends JSON by POST, over HTTP or HTTPS.  Returns why it did not work, empty if the
// answer was 2xx.  Does not name the URL, which may have a secret in it.
std::string post_json(const std::string& url, const std::string& json);

struct Question {
  std::string url;
  std::string unix_socket;  // instead of the host in the URL; may be empty
  std::vector<std::pair<std::string, std::string>> fields;  // without CR and LF
  std::string_view body;
  std::size_t most = kMaxBody;  // bytes of the answer
  std::chrono::milliseconds patience = kPatience;
};

// Sends the body by POST over HTTP; that of a 200 answer.  Throws Fault.
std::string post(const Question& question);

}  // namespace mxfeed::http
