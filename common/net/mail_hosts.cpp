// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/mail_hosts.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace mxfeed::dns {

Answer ask(std::string_view name, RecordType type, Lookup& lookup) {
  const auto question = Question::parse(name, type);
  return question ? lookup.ask(*question)
                  : Answer::absent(false, std::chrono::seconds(0));
}

HostAddresses addresses_of(std::string_view host, Lookup& lookup) {
  HostAddresses found;
  for (const auto type : {RecordType::a, RecordType::aaaa}) {
    const auto answer = ask(host, type, lookup);
    if (answer.is_temporary()) {
      found.is_temporary = true;
      found.trouble = answer.trouble;
    }
    const auto some = answer.all<IpAddress>();
    found.addresses.insert(found.addresses.end(), some.begin(), some.end());
  }
  if (!found.addresses.empty()) found.is_temporary = false;
  return found;
}

BetterHosts better_hosts(std::vector<MailExchange> records, const IsOurs& is_ours,
                         Lookup& lookup) {
  std::stable_sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    return a.preference < b.preference;
  });
  BetterHosts better;
  std::optional<std::uint16_t> ours;
  for (const auto& record : records) {
    // All are asked about: the caller may want to know of each that is ours.
    if (is_ours(record.host, addresses_of(record.host, lookup).addresses) && !ours) {
      ours = record.preference;
    }
  }
  better.names_us = ours.has_value();
  for (auto& record : records) {
    if (!ours || record.preference < *ours)
      better.hosts.push_back(std::move(record.host));
  }
  return better;
}

}  // namespace mxfeed::dns
