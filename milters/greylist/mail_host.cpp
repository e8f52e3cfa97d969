// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/mail_host.h"

#include <algorithm>

#include "common/net/mail_hosts.h"

namespace mxfeed::greylist {

bool is_mail_host(std::string_view domain, const IpAddress& client, dns::Lookup& lookup) {
  constexpr std::size_t kMostHosts = 10;
  const dns::Answer answer = dns::ask(domain, dns::RecordType::mx, lookup);
  auto hosts = answer.all<dns::MailExchange>();
  hosts.resize(std::min(hosts.size(), kMostHosts));
  return std::ranges::any_of(hosts, [&](const dns::MailExchange& one) {
    const auto found = dns::addresses_of(one.host, lookup);
    return std::ranges::find(found.addresses, client) != found.addresses.end();
  });
}

}  // namespace mxfeed::greylist
