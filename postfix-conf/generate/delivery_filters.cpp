// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/delivery_filters.h"

#include <fmt/format.h>

#include <cstddef>

#include "common/base/text.h"

namespace mxfeed {
namespace {

// As IpAddress::is_public() says.  Postfix writes addresses as inet_ntop(3) does; "::"
// begins the unspecified address, loopback and mapped IPv4 addresses.
constexpr const char* kPrivateV4 =
    "/ IN A (0|10|127|169\\.254|192\\.168|172\\.(1[6-9]|2[0-9]|3[01])|"
    "100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|2(2[4-9]|[345][0-9]))\\./ IGNORE";
constexpr const char* kPrivateV6 =
    "/ IN AAAA (::|f[cd][0-9a-f][0-9a-f]:|fe[89ab][0-9a-f]:|ff[0-9a-f][0-9a-f]:)/ IGNORE";

// "10\.20\.", "10\.(16|17)\.": what the addresses of an IPv4 network begin with.
std::string beginning(const Network& network) {
  constexpr unsigned kOctet = 8;
  const std::string base = network.base.str();
  const auto octets = split(base, '.');
  std::string pattern;
  unsigned left = network.bits;
  for (std::size_t i = 0; i < octets.size() && left > 0; ++i) {
    if (left >= kOctet) {
      pattern += octets[i];
      left -= kOctet;
    } else {
      const auto size = 1U << (kOctet - left);
      const auto first = *parse_unsigned(octets[i]) / size * size;
      pattern += fmt::format("({}", first);
      for (auto one = first + 1; one < first + size; ++one) {
        pattern += fmt::format("|{}", one);
      }
      pattern += ')';
      left = 0;
    }
    // postconf(5): "$$" stands for a "$".
    pattern += i + 1 == octets.size() ? "$$" : "\\.";
  }
  return pattern;
}

}  // namespace

std::string dns_reply_filter(const std::vector<Network>& allow_private) {
  std::vector<std::string> allowed;
  bool allows_v6 = false;
  for (const auto& one : allow_private) {
    if (one.base.is_v4()) {
      allowed.push_back(beginning(one));
    } else {
      allows_v6 = true;
    }
  }
  std::string table = fmt::format("{{{}}}", kPrivateV4);
  if (!allowed.empty()) {
    table =
        fmt::format("{{if !/ IN A ({})/}} {} {{endif}}", fmt::join(allowed, "|"), table);
  }
  if (!allows_v6) table += fmt::format(" {{{}}}", kPrivateV6);
  return fmt::format("regexp:{{{}}}", table);
}

std::string delivery_status_filter() {
  // What a server says begins with "host ", and is left as it is.  regexp_table(5): the
  // flag makes a difference between upper and lower case.
  return "regexp:{{/^5(\\.(4\\.[0-9]+|1\\.0) ([^h]|h[^o]|ho[^s]|hos[^t]|host[^ ]).*)/i "
         "4$$1}}";
}

}  // namespace mxfeed
