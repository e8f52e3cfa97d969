// SPDX-License-Identifier: GPL-2.0-or-later
//
// What an SMTP server says (RFC 5321, 4.2).  Pure functions of hostile octets.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mxfeed::smtp {

struct Reply {
  int code = 0;                    // 200 to 599
  std::vector<std::string> lines;  // without the code; any octets but CR and LF

  bool is_positive() const { return code < 400; }
  bool is_transient() const { return code >= 400 && code < 500; }
  bool is_permanent() const { return code >= 500; }
  // "550 5.1.1 No such user": code and lines, escaped, on one line.
  std::string text() const;
};

struct ParsedReply {
  enum class State { whole, partial, malformed };
  // Longer ones are malformed.
  static constexpr std::size_t kMaxLine = 2048;
  static constexpr std::size_t kMaxLines = 100;

  State state = State::partial;
  Reply reply;           // if whole
  std::size_t used = 0;  // if whole: how many of the octets it has
  std::string problem;   // if malformed
};

// The first reply in the octets.  Its lines may end in LF alone.
ParsedReply parse_reply(std::string_view received);

// What a server says to EHLO (4.1.1.1), or that it only takes HELO.
struct Hello {
  Reply reply;
  bool is_extended = false;

  bool offers(std::string_view keyword) const;
  // Of SIZE (RFC 1870): nothing if it is not offered, 0 without a limit.
  std::optional<std::uint64_t> size() const;
};

}  // namespace mxfeed::smtp
