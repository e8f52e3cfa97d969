// SPDX-License-Identifier: GPL-2.0-or-later
//
// DNS messages as octets (RFC 1035, 4).

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/text.h"
#include "common/net/dns.h"

namespace mxfeed::dns::wire {

inline std::string number(std::uint32_t value, int octets) {
  std::string text;
  for (int i = octets - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

inline std::string name(std::string_view text) {
  std::string octets;
  if (!text.empty()) {
    for (const auto label : split(text, '.')) {
      octets += static_cast<char>(label.size());
      octets += label;
    }
  }
  return octets + '\0';
}

struct ResourceRecord {
  std::string owner;  // octets
  unsigned type;
  std::uint32_t ttl;
  std::string data;

  std::string octets() const {
    return owner + number(type, 2) + number(1, 2) + number(ttl, 4) +
           number(static_cast<std::uint32_t>(data.size()), 2) + data;
  }
};

constexpr unsigned kReply = 0x8180;  // with recursion desired and available
constexpr unsigned kTruncated = 0x0200;
enum Code : unsigned { formerr = 1, servfail = 2, nxdomain = 3, notimp = 4, refused = 5 };

struct Message {
  unsigned id = 0;
  unsigned flags = kReply;
  std::string question;  // octets
  std::vector<ResourceRecord> answers;
  std::vector<ResourceRecord> authorities;

  std::string octets() const {
    std::string text = number(id, 2) + number(flags, 2) + number(1, 2) +
                       number(static_cast<std::uint32_t>(answers.size()), 2) +
                       number(static_cast<std::uint32_t>(authorities.size()), 2) +
                       number(0, 2) + question;
    for (const auto& record : answers) text += record.octets();
    for (const auto& record : authorities) text += record.octets();
    return text;
  }
};

inline std::string question(std::string_view text, RecordType type) {
  return name(text) + number(static_cast<std::uint32_t>(type), 2) + number(1, 2);
}

inline std::span<const std::uint8_t> as_octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// The owner is the name of the question.
inline const std::string kSameName("\xC0\x0C", 2);

}  // namespace mxfeed::dns::wire
