// SPDX-License-Identifier: GPL-2.0-or-later
//
// Delivers messages by LMTP (RFC 2033) to a server of this host.

#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/local_session.h"

namespace mxfeed {

// Calls its argument with each line of a message, without the line end; returns whether
// the message was whole.
using MessageLines =
    std::function<bool(const std::function<void(std::string_view line)>&)>;

struct LmtpEnvelope {
  // Without angle brackets; empty for the null sender.
  std::string sender;
  std::vector<std::string> recipients;
  std::string parameters{};  // of MAIL: " BODY=8BITMIME"
};

class LmtpSession {
 public:
  // Faults begin with `doing`.  Throws Fault.
  LmtpSession(std::string_view doing, const std::filesystem::path& socket);

  // What the server said for each recipient; empty: it has the message.  Nothing if the
  // message was not whole: then no recipient has it, and the session is over.  Throws
  // Fault if the session is lost; the recipients may have the message then.
  std::optional<std::vector<std::string>> deliver(const LmtpEnvelope& envelope,
                                                  const MessageLines& lines);

 private:
  smtp::LocalSession session_;
};

}  // namespace mxfeed
