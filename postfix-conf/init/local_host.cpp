// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/init/local_host.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

// linux/if_addr.h: IFA_F_TEMPORARY, DADFAILED, DEPRECATED, TENTATIVE.
constexpr int kShortLived = 0x01 | 0x08 | 0x20 | 0x40;

// The words of a line.
std::vector<std::string_view> words_in(std::string_view line) {
  std::vector<std::string_view> words;
  for (const auto word : split(line, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

// 32 hexadecimal digits.
std::optional<IpAddress> address_in(std::string_view digits) {
  if (digits.size() != 32) return std::nullopt;
  std::string text;
  for (std::size_t i = 0; i < digits.size(); i += 4) {
    if (i > 0) text += ':';
    text += digits.substr(i, 4);
  }
  return IpAddress::parse(text);
}

}  // namespace

std::string canonical_host_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0) return {};
  if (std::string_view(name).find('.') != std::string_view::npos) return name;
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name, nullptr, &hints, &found) != 0) return name;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  return found->ai_canonname != nullptr ? found->ai_canonname : name;
}

std::vector<IpAddress> interface_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) {
    throw Fault("list addresses", "interfaces", errno_text(errno));
  }
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
  const auto excluded = short_lived(read_file("/proc/net/if_inet6").value_or(""));
  std::vector<IpAddress> addresses;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0) continue;
    const auto address = IpAddress::from_socket(one->ifa_addr);
    if (!address) continue;
    const auto is_in = [&](const std::vector<IpAddress>& all) {
      return std::find(all.begin(), all.end(), *address) != all.end();
    };
    if (!is_in(excluded) && !is_in(addresses)) addresses.push_back(*address);
  }
  return addresses;
}

std::vector<IpAddress> short_lived(std::string_view if_inet6) {
  std::vector<IpAddress> addresses;
  for (const auto line : split(if_inet6, '\n')) {
    // Address, interface, prefix length, scope, flags, name; all but the name in
    // hexadecimal.
    const auto words = words_in(line);
    if (words.size() != 6 || words[4].empty()) continue;
    int flags = 0;
    for (const char digit : words[4]) flags = (flags << 4 | hex_digit(digit)) & 0xffff;
    const auto address = address_in(words[0]);
    if (address && (flags & kShortLived) != 0) addresses.push_back(*address);
  }
  return addresses;
}

}  // namespace mxfeed
