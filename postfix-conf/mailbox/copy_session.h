// SPDX-License-Identifier: GPL-2.0-or-later
//
// Puts copies of queued messages into mailboxes, by LMTP (RFC 2033).

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

class CopySession {
 public:
  // Throws Fault.
  explicit CopySession(const std::filesystem::path& socket);

  // What Dovecot said for each of the mailboxes; empty: it has the copy.  Nothing if the
  // message was not whole: then no mailbox has it, and the session is over.  The sender
  // is written into Return-Path.  Throws Fault if the session is lost; the mailboxes may
  // have the copy then.
  std::optional<std::vector<std::string>> put(std::string_view sender,
                                              const std::vector<std::string>& mailboxes,
                                              const MessageLines& lines);

 private:
  smtp::LocalSession session_;
};

}  // namespace mxfeed
