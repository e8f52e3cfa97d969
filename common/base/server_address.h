// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where a server listens that is named by its address.  Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mxfeed {

class ServerAddress {
 public:
  // "unix:/run/redis/redis.sock", "192.0.2.7:6379" or "[2001:db8::7]:6379"; nothing for
  // anything else.  Host names are not taken: nobody can look one up within a deadline.
  static std::optional<ServerAddress> parse(std::string_view text);
  // An IP address and a port.
  static std::optional<ServerAddress> of(std::string_view host, std::uint64_t port);

  bool is_unix() const { return port_ == 0; }
  // The path of a unix socket, or an IP address.
  const std::string& host() const { return host_; }
  std::uint16_t port() const { return port_; }
  // As parse() takes it.
  std::string str() const;
  bool operator==(const ServerAddress&) const = default;

 private:
  ServerAddress(std::string_view host, std::uint16_t port) : host_(host), port_(port) {}
  std::string host_;
  std::uint16_t port_;  // 0: a unix socket
};

}  // namespace mxfeed
