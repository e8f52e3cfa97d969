// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <idn2.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMaxDomain = 253;  // RFC 1035, 2.3.4, without length octets
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxPath = 320;

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_';
         });
}

// RFC 5891, 5: from what a user may type to A-labels.
std::optional<std::string> to_a_labels(const std::string& text) {
  char* encoded = nullptr;
  if (idn2_to_ascii_8z(text.c_str(), &encoded, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) !=
      IDN2_OK) {
    return std::nullopt;
  }
  const std::unique_ptr<char, void (*)(void*)> owner(encoded, idn2_free);
  return std::string(encoded);
}

// Nothing if a label looks like an A-label but is not one.
std::optional<std::string> to_u_labels(const std::string& text) {
  char* decoded = nullptr;
  if (idn2_to_unicode_8z8z(text.c_str(), &decoded, IDN2_NONTRANSITIONAL) != IDN2_OK) {
    return std::nullopt;
  }
  const std::unique_ptr<char, void (*)(void*)> owner(decoded, idn2_free);
  return std::string(decoded);
}

// RFC 5322, 3.2.3: atext, with what RFC 6532 adds.
bool is_atom_char(char c) {
  return static_cast<unsigned char>(c) >= 0x80 || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

// Some senders break the rule on dots ("a..b@", "a.@") and their mail is accepted
// everywhere, so dots may stand anywhere.
bool is_dot_string(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return is_atom_char(c) || c == '.'; });
}

}  // namespace

std::optional<Domain> Domain::parse(std::string_view text) {
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  if (text.empty() || text.size() > 4 * kMaxDomain ||
      text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::string name = ascii_lower(text);
  if (!is_ascii(name)) {
    auto encoded = to_a_labels(name);
    if (!encoded) return std::nullopt;
    name = ascii_lower(*encoded);
  }
  if (name.size() > kMaxDomain) return std::nullopt;
  const auto labels = split(name, '.');
  if (!std::all_of(labels.begin(), labels.end(), is_label)) return std::nullopt;
  // RFC 3696, 2: a top-level domain is not all digits; so an IP address is not a domain.
  if (std::all_of(labels.back().begin(), labels.back().end(),
                  [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  return Domain(std::move(name));
}

std::string Domain::u_labels() const {
  if (text_.find("xn--") == std::string::npos) return text_;
  auto decoded = to_u_labels(text_);
  // U-labels that would be read as another domain are not used.
  return decoded && parse(*decoded) == *this ? *std::move(decoded) : text_;
}

std::vector<std::string> Domain::map_keys() const {
  std::vector<std::string> keys = {text_};
  // RFC 5892, 2.6: sharp s, which becomes "ss", and final sigma are the only letters of
  // domains that folding changes.
  auto u_labels = this->u_labels();
  const bool is_folded = u_labels.find("\u00DF") == std::string::npos &&
                         u_labels.find("\u03C2") == std::string::npos;
  if (is_folded && u_labels != text_) keys.push_back(std::move(u_labels));
  return keys;
}

std::optional<Domain> Domain::from_map_key(std::string_view key) {
  auto domain = parse(key);
  if (!domain) return std::nullopt;
  const auto keys = domain->map_keys();
  if (std::find(keys.begin(), keys.end(), key) == keys.end()) return std::nullopt;
  return domain;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.size() != std::strlen(terminated.c_str())) return std::nullopt;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  if (::inet_pton(AF_INET, terminated.c_str(), &v4.sin_addr) == 1) {
    return from_socket(reinterpret_cast<const sockaddr*>(&v4));
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  if (::inet_pton(AF_INET6, terminated.c_str(), &v6.sin6_addr) == 1) {
    return from_socket(reinterpret_cast<const sockaddr*>(&v6));
  }
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::from_socket(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  IpAddress result;
  if (address->sa_family == AF_INET) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(address);
    std::memcpy(&result.bytes_[12], &v4->sin_addr, 4);
    result.v4_ = true;
    return result;
  }
  if (address->sa_family == AF_INET6) {
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(address);
    std::memcpy(result.bytes_.data(), &v6->sin6_addr, 16);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
      std::fill_n(result.bytes_.begin(), 12, std::uint8_t{0});
      result.v4_ = true;
    }
    return result;
  }
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::from_octets(std::string_view octets) {
  if (octets.size() == 4) {
    IpAddress result;
    std::memcpy(&result.bytes_[12], octets.data(), 4);
    result.v4_ = true;
    return result;
  }
  if (octets.size() != 16) return std::nullopt;
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  std::memcpy(&v6.sin6_addr, octets.data(), 16);
  return from_socket(reinterpret_cast<const sockaddr*>(&v6));
}

std::string IpAddress::octets() const {
  const std::size_t first = v4_ ? 12 : 0;
  return {reinterpret_cast<const char*>(&bytes_[first]), bytes_.size() - first};
}

std::string IpAddress::str() const {
  char text[INET6_ADDRSTRLEN];
  ::inet_ntop(v4_ ? AF_INET : AF_INET6, v4_ ? &bytes_[12] : bytes_.data(), text,
              sizeof text);
  return text;
}

std::string IpAddress::network(unsigned bits) const {
  const unsigned width = v4_ ? 32 : 128;
  bits = std::min(bits, width);
  IpAddress base = *this;
  const unsigned keep = (128 - width) + bits;
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned kept = keep <= 8 * i ? 0 : std::min(8u, keep - 8 * i);
    base.bytes_[i] &= static_cast<std::uint8_t>(0xFF00u >> kept);
  }
  return fmt::format("{}/{}", base.str(), bits);
}

bool IpAddress::is_within(const IpAddress& network, unsigned bits) const {
  if (v4_ != network.v4_) return false;
  unsigned same = std::min(bits, v4_ ? 32u : 128u);
  for (std::size_t i = v4_ ? 12 : 0; same > 0; ++i) {
    const unsigned now = std::min(same, 8u);
    if (((bytes_[i] ^ network.bytes_[i]) & (0xFF00u >> now) & 0xFF) != 0) return false;
    same -= now;
  }
  return true;
}

bool IpAddress::is_loopback() const {
  static const IpAddress v6 = *parse("::1");
  return v4_ ? bytes_[12] == 127 : *this == v6;
}
bool IpAddress::is_link_local() const {
  return v4_ ? bytes_[12] == 169 && bytes_[13] == 254
             : bytes_[0] == 0xFE && (bytes_[1] & 0xC0) == 0x80;
}
bool IpAddress::is_private() const {
  if (!v4_) return (bytes_[0] & 0xFE) == 0xFC;
  return bytes_[12] == 10 || (bytes_[12] == 172 && (bytes_[13] & 0xF0) == 16) ||
         (bytes_[12] == 192 && bytes_[13] == 168) ||
         (bytes_[12] == 100 && (bytes_[13] & 0xC0) == 64);
}
bool IpAddress::is_unspecified() const {
  static const IpAddress v6 = *parse("::");
  return v4_ ? bytes_[12] == 0 : *this == v6;
}
bool IpAddress::is_multicast() const {
  return v4_ ? bytes_[12] >= 224 : bytes_[0] == 0xFF;
}

bool IpAddress::is_public() const {
  return !is_loopback() && !is_link_local() && !is_private() && !is_unspecified() &&
         !is_multicast();
}

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = IpAddress::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  const unsigned width = base->is_v4() ? 32 : 128;
  if (slash == std::string_view::npos) return Network{*base, width};
  const auto bits = parse_unsigned(text.substr(slash + 1));
  // RFC 4291, 2.5.5.2: the IPv4 address is behind 96 bits.
  const bool is_mapped = base->is_v4() && text.find(':') != std::string_view::npos;
  const unsigned before = is_mapped ? 96 : 0;
  if (!bits || *bits < before || *bits > before + width) return std::nullopt;
  return Network{*base, static_cast<unsigned>(*bits) - before};
}

std::optional<Path> Path::parse(std::string_view text) {
  if (text.size() >= 2 && text.front() == '<' && text.back() == '>') {
    text = text.substr(1, text.size() - 2);
    if (text.empty()) return Path{};
  }
  if (text.empty() || text.size() > kMaxPath ||
      text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  if (text.front() == '@') {  // a source route (RFC 5321, C): "@a,@b:user@domain"
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    text.remove_prefix(colon + 1);
  }
  Path path;
  if (!text.empty() && text.front() == '"') {
    std::size_t i = 1;
    for (; i < text.size() && text[i] != '"'; ++i) {
      if (text[i] == '\\' && ++i == text.size()) return std::nullopt;
      path.local_part += text[i];
    }
    if (i == text.size()) return std::nullopt;
    text.remove_prefix(i + 1);
    if (path.local_part.empty()) return std::nullopt;
  } else {
    const auto at = text.rfind('@');
    path.local_part = text.substr(0, at);
    if (!is_dot_string(path.local_part)) return std::nullopt;
    text = at == std::string_view::npos ? std::string_view() : text.substr(at);
  }
  if (text.empty()) return path;
  if (text.front() != '@' || text.size() == 1) return std::nullopt;
  text.remove_prefix(1);
  if (text.front() == '[') {  // an address literal (RFC 5321, 4.1.3)
    if (text.back() != ']' || !is_ascii(text)) return std::nullopt;
    path.domain = text;
    return path;
  }
  if (text.back() == '.') text.remove_suffix(1);
  if (text.ends_with('.') || !Domain::parse(text)) return std::nullopt;
  path.domain = text;
  return path;
}

std::string Path::str() const {
  if (is_null()) return {};
  std::string text;
  if (is_dot_string(local_part)) {
    text = local_part;
  } else {
    text = '"';
    for (const char c : local_part) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  if (!domain.empty()) text.append("@").append(domain);
  return text;
}

}  // namespace mxfeed
