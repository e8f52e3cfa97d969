// SPDX-License-Identifier: GPL-2.0-or-later
//
// TLS as the client of a server, on a connected non-blocking socket.  A certificate that
// does not prove anything is no error here: it is described.  The program must ignore
// SIGPIPE.

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/clock.h"

namespace mxfeed::tls {

struct Certificate {
  std::string subject;      // hostile, to be escaped
  std::string fingerprint;  // SHA-256 of the certificate, "AB:CD:..." as Postfix logs it
  Time not_after{};
  bool matches_name = false;  // RFC 6125: a name in it is the one that was expected
  bool is_trusted = false;    // a CA of the system stands behind it, and it is valid now
  std::string trouble;        // why it is not trusted
};

class Connection {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  // Does the handshake.  `fd` must outlive it.  Throws Fault.
  Connection(int fd, const std::string& name, Instant deadline);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Certificate certificate() const;
  std::string protocol() const;  // "TLSv1.3"

  // Both throw Fault, also at the deadline.
  std::size_t read(char* buffer, std::size_t size, Instant deadline);  // 0: closed
  void write(std::string_view bytes, Instant deadline);

 private:
  class Handle;
  std::unique_ptr<Handle> handle_;
};

// Waits until the socket can be read, or written.  Throws Fault at the deadline.
enum class Ready { to_read, to_write };
void wait_until(Ready ready, int fd, std::chrono::steady_clock::time_point deadline);

}  // namespace mxfeed::tls
