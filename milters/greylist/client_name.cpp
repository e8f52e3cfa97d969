// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/client_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/net/organisation.h"

namespace mxfeed::greylist {
namespace {

// Words in host names that providers give to whole ranges of addresses.
constexpr std::array<std::string_view, 38> kGenericWords = {
    "adsl",       "broadband", "cable",     "catv",  "client",  "clients",     "cpe",
    "cust",       "customer",  "customers", "dhcp",  "dial",    "dialin",      "dialup",
    "dip",        "docsis",    "dsl",       "dyn",   "dynamic", "dynip",       "fiber",
    "ftth",       "gprs",      "home",      "hsd",   "lte",     "mobile",      "nat",
    "pool",       "pools",     "ppp",       "pppoe", "resnet",  "residential", "umts",
    "unassigned", "vdsl",      "wlan"};

// The runs of characters of one kind: the runs of letters in "dsl-198-051.x" are "dsl"
// and "x".
template <typename Kind>
std::vector<std::string_view> runs(std::string_view text, Kind is_kind) {
  std::vector<std::string_view> found;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_kind(text[end])) ++end;
    if (end > i) found.push_back(text.substr(i, end - i));
    i = end + 1;
  }
  return found;
}

// "static-mail.pool.isp.example" is judged by "static-mail.pool": the rest names the
// provider.
std::string_view host_part(std::string_view name) {
  const std::size_t provider = organisation_of(name).size();
  return name.size() > provider ? name.substr(0, name.size() - provider - 1)
                                : std::string_view();
}

bool has_generic_word(std::string_view host) {
  return std::ranges::any_of(runs(host, is_letter), [](std::string_view word) {
    return std::ranges::find(kGenericWords, word) != kGenericWords.end();
  });
}

bool contains(std::string_view text, std::string_view piece) {
  return text.find(piece) != std::string_view::npos;
}

// Two numbers in a name may be chance; the last two octets of the address, in either
// order, are not.
bool has_v4(std::string_view host, const std::string& address) {
  const auto octets = split(address, '.');
  if (octets.size() != 4) return false;
  std::array<unsigned, 4> value{};
  for (std::size_t i = 0; i < 4; ++i) {
    value[i] = static_cast<unsigned>(parse_unsigned(octets[i]).value_or(0));
  }
  const auto numbers = runs(host, is_digit);
  const auto count = [&](unsigned octet) {
    return std::ranges::count_if(numbers, [octet](std::string_view number) {
      return number.size() <= 3 && parse_unsigned(number) == octet;
    });
  };
  const bool last_two = value[2] == value[3] ? count(value[3]) >= 2
                                             : count(value[2]) > 0 && count(value[3]) > 0;
  return last_two ||
         contains(host, fmt::format("{:03}{:03}{:03}{:03}", value[0], value[1], value[2],
                                    value[3])) ||
         contains(host, fmt::format("{:02x}{:02x}{:02x}{:02x}", value[0], value[1],
                                    value[2], value[3]));
}

bool has_v6(std::string_view host, const std::string& address) {
  std::string dashed = address;
  std::ranges::replace(dashed, ':', '-');
  std::string lasting = dashed;  // "2001-db8--7" is also written without the gap
  if (const auto gap = lasting.find("--"); gap != std::string::npos)
    lasting.erase(gap, 1);
  return contains(host, dashed) || contains(host, lasting);
}

}  // namespace

bool is_suspicious(const Client& client) {
  if (client.name.empty() || !client.address) return true;
  const std::string name = ascii_lower(client.name);
  const std::string_view host = host_part(name);
  const std::string address = client.address->str();
  return has_generic_word(host) ||
         (client.address->is_v4() ? has_v4(host, address) : has_v6(host, address));
}

}  // namespace mxfeed::greylist
