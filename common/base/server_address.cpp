// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/server_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::size_t kMostPath = 107;  // of sockaddr_un

bool is_ip(int family, const std::string& host) {
  in6_addr ignored;
  return ::inet_pton(family, host.c_str(), &ignored) == 1;
}

}  // namespace

std::optional<ServerAddress> ServerAddress::of(std::string_view host,
                                               std::uint64_t port) {
  const std::string name(host);
  const bool is_whole = name.find('\0') == std::string::npos;
  if (!is_whole || port == 0 || port > 0xFFFF) return std::nullopt;
  if (!is_ip(AF_INET, name) && !is_ip(AF_INET6, name)) return std::nullopt;
  return ServerAddress(host, static_cast<std::uint16_t>(port));
}

std::optional<ServerAddress> ServerAddress::parse(std::string_view text) {
  if (text.starts_with(kUnix)) {
    text.remove_prefix(kUnix.size());
    const bool is_path = text.starts_with('/') && text.size() <= kMostPath &&
                         text.find('\0') == std::string_view::npos;
    if (!is_path) return std::nullopt;
    return ServerAddress(text, 0);
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_unsigned(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool has_brackets = host.starts_with('[') && host.ends_with(']');
  if (has_brackets) host = host.substr(1, host.size() - 2);
  const bool is_v6 = host.find(':') != std::string_view::npos;
  if (!port || has_brackets != is_v6) return std::nullopt;
  return of(host, *port);
}

std::string ServerAddress::str() const {
  if (is_unix()) return std::string(kUnix) + host_;
  const bool is_v6 = host_.find(':') != std::string::npos;
  return (is_v6 ? "[" + host_ + "]" : host_) + ":" + std::to_string(port_);
}

}  // namespace mxfeed
