// SPDX-License-Identifier: GPL-2.0-or-later
//
// A session with an SMTP server (RFC 5321), to try it out: from an address of ours, with
// STARTTLS (RFC 3207), within a deadline.  What the server says is bounded and hostile.
//
//   smtp::Session session({*address, 25, source}, deadline);
//   const auto hello = session.hello("mx1.isp.example");
//   if (hello.offers("STARTTLS")) session.start_tls("mail.acme.example");
//   const smtp::Reply reply = session.command("MAIL FROM:<>");

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/file.h"
#include "common/mail/address.h"
#include "common/net/smtp_reply.h"
#include "common/net/tls_client.h"

namespace mxfeed::smtp {

struct Target {
  IpAddress address;
  std::uint16_t port = 25;
  std::optional<IpAddress> source;  // of the same family; nothing: the system's choice
};

// Whether this host has the address, so that a session can come from it.
bool can_come_from(const IpAddress& source);

// Every call ends by the deadline.  All but the destructor throw Fault: no connection,
// timed out, closed by the server, not an SMTP reply.
class Session {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  // Connects and reads the greeting.
  Session(const Target& target, Instant deadline);
  // Says QUIT without waiting for the answer.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Reply& greeting() const { return greeting_; }

  // EHLO, and HELO if that is refused.
  Hello hello(std::string_view name);
  // STARTTLS, then the handshake.  `name`, unless empty, is what the certificate is
  // compared with and the server is told (SNI).  A refusal is returned, and the session
  // goes on without TLS.
  Reply start_tls(const std::string& name);
  // Of the server, once TLS is in use.
  const std::optional<tls::Certificate>& certificate() const { return certificate_; }

  // A command, or a line of a message, without CRLF in it, and the reply.
  Reply command(std::string_view line);
  // A message, its lines ended by CRLF, dots doubled here, and the reply at its end.
  Reply data(std::string_view message);

 private:
  void connect(const Target& target);
  Reply read_reply();
  std::size_t receive(char* buffer, std::size_t size);
  void send(std::string_view bytes);

  const std::string peer_;  // for messages
  const Instant deadline_;
  Fd socket_;
  std::unique_ptr<tls::Connection> tls_;
  std::string received_;  // not yet parsed
  bool is_open_ = false;
  Reply greeting_;
  std::optional<tls::Certificate> certificate_;
};

}  // namespace mxfeed::smtp
