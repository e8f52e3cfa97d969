// SPDX-License-Identifier: GPL-2.0-or-later
//
// The parts of a mail address.  An object is valid when it exists.

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr;

namespace mxfeed {

// A mail domain: lower-case A-labels without a final dot (RFC 5321, 2.3.5; RFC 5890).
class Domain {
 public:
  // Takes U-labels, A-labels, any case and a final dot; nothing if it is not a domain
  // name.  Labels follow RFC 1123, 2.1, underscores allowed (they occur); one label is
  // enough.
  static std::optional<Domain> parse(std::string_view text);

  const std::string& str() const { return text_; }
  // The name in U-labels, lower case and NFC (RFC 5890, 2.3.2.1); str() if it has none.
  std::string u_labels() const;

  // The keys under which Postfix can find the domain in a map: str(), then u_labels() if
  // they differ.  Postfix folds case first (Unicode, full case folding): U-labels that
  // this would change are not a key.
  std::vector<std::string> map_keys() const;
  // The domain that has the text among its map_keys().
  static std::optional<Domain> from_map_key(std::string_view key);

  auto operator<=>(const Domain&) const = default;

 private:
  explicit Domain(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// An IPv4 or IPv6 address; a mapped IPv4 address is an IPv4 address.
class IpAddress {
 public:
  // Takes "192.0.2.1", "2001:db8::1"; no brackets, no zone, no port.
  static std::optional<IpAddress> parse(std::string_view text);
  // Nothing for a family that is neither AF_INET nor AF_INET6.
  static std::optional<IpAddress> from_socket(const sockaddr* address);
  // From 4 or 16 octets in network order; nothing for another number.
  static std::optional<IpAddress> from_octets(std::string_view octets);

  bool is_v4() const { return v4_; }
  std::string str() const;
  std::string octets() const;  // 4 or 16, in network order
  // The network of that many bits, as text: "192.0.2.0/24".
  std::string network(unsigned bits) const;
  // Whether the first `bits` bits equal those of `network`; never true for an address of
  // the other family.
  bool is_within(const IpAddress& network, unsigned bits) const;

  bool is_loopback() const;     // 127/8, ::1
  bool is_link_local() const;   // 169.254/16, fe80::/10
  bool is_private() const;      // RFC 1918, RFC 6598 (100.64/10), RFC 4193 (fc00::/7)
  bool is_unspecified() const;  // 0/8, ::
  bool is_multicast() const;    // 224/4, ff00::/8; also 240/4
  // None of these: the Internet may reach it.
  bool is_public() const;
  auto operator<=>(const IpAddress&) const = default;

 private:
  IpAddress() = default;
  std::array<std::uint8_t, 16> bytes_{};  // an IPv4 address is in the last four
  bool v4_ = false;
};

// A network in CIDR notation; a single address is a network of one.  A network of mapped
// IPv4 addresses is one of IPv4: "::ffff:127.0.0.0/104" is "127.0.0.0/8".
struct Network {
  IpAddress base;
  unsigned bits;

  static std::optional<Network> parse(std::string_view text);
  bool contains(const IpAddress& address) const { return address.is_within(base, bits); }
  std::string str() const { return base.network(bits); }
  bool operator==(const Network&) const = default;
};

// The address in a MAIL or RCPT argument, "<local@domain>" (RFC 5321, 4.1.2).
struct Path {
  std::string local_part;  // quoting removed; case kept
  std::string domain;      // as received, without a final dot; "[192.0.2.1]" if a literal

  // Takes an address with or without angle brackets and skips a source route; "<>" is the
  // null path: both parts empty.  A local part alone ("<postmaster>") has no domain.
  // Nothing if it is not an address or has more than 320 octets (RFC 5321, 4.5.3.1.3
  // allows 256; 64 are spare for senders that count differently).
  static std::optional<Path> parse(std::string_view text);

  bool is_null() const { return local_part.empty() && domain.empty(); }
  // "local@domain", local part quoted where it must be; "" if null.
  std::string str() const;
};

}  // namespace mxfeed
