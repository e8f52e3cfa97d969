// SPDX-License-Identifier: GPL-2.0-or-later
//
// A session with an SMTP or LMTP server of this host, on a unix socket.

#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/file.h"
#include "common/net/smtp_reply.h"

namespace mxfeed::smtp {

// All but the destructor throw a Fault that begins with `doing` and names the socket: no
// connection, nothing for `patience`, closed by the server, not an SMTP reply.  The
// session is over then.
class LocalSession {
 public:
  // Connects and reads the greeting, which must be positive.
  LocalSession(std::string_view doing, const std::filesystem::path& socket,
               std::chrono::seconds patience);
  // Says QUIT without waiting for the answer.
  ~LocalSession();
  LocalSession(const LocalSession&) = delete;
  LocalSession& operator=(const LocalSession&) = delete;

  // A line without CRLF, and the reply.
  Reply command(std::string_view line);
  // The same for one that must succeed.
  void greet(std::string_view line);
  void send(std::string_view octets);
  Reply read_reply();
  // Ends it at once, as if the network had failed: a message that was not ended is not
  // taken.
  void drop() { fd_.reset(); }

 private:
  [[noreturn]] void fail(std::string_view cause);

  const std::string doing_, socket_;
  Fd fd_;
  std::string received_;  // not yet parsed
};

}  // namespace mxfeed::smtp
