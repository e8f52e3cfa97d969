// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/dns_check.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <future>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/net/resolver.h"
#include "postfix-conf/generate/next_hops.h"
#include "postfix-conf/init/local_host.h"
#include "postfix-conf/verify/destinations.h"

namespace mxfeed {
namespace {

using Instant = dns::Resolver::Instant;

constexpr std::chrono::seconds kPatience{15};     // for each answer
constexpr std::chrono::seconds kAllPatience{60};  // until the last questions are asked
constexpr std::size_t kAtOnce = 1000;

// Knows what was fetched, and collects what else is asked.
class GatheredLookup : public dns::Lookup {
 public:
  dns::Answer ask(const dns::Question& question) override {
    const auto found = known_.find(question);
    if (found != known_.end()) return found->second;
    wanted_.insert(question);
    return dns::Answer::temporary(dns::Trouble::none);
  }

  // Whether there was anything to fetch.
  bool fetch(Instant last) {
    if (wanted_.empty()) return false;
    dns::Resolver resolver({});
    std::vector<std::pair<dns::Question, std::future<dns::Answer>>> asked;
    while (!wanted_.empty()) {
      const auto now = std::chrono::steady_clock::now();
      const auto size = std::min(wanted_.size(), kAtOnce);
      const auto end = std::next(wanted_.begin(), static_cast<std::ptrdiff_t>(size));
      for (auto one = wanted_.begin(); one != end; ++one) {
        if (now < last) {
          asked.emplace_back(*one, resolver.ask_async(*one, now + kPatience));
        } else {
          known_.emplace(*one, dns::Answer::temporary(dns::Trouble::timed_out));
        }
      }
      wanted_.erase(wanted_.begin(), end);
      for (auto& [question, answer] : asked) known_.emplace(question, answer.get());
      asked.clear();
    }
    return true;
  }

 private:
  std::map<dns::Question, dns::Answer> known_;
  std::set<dns::Question> wanted_;
};

}  // namespace

std::vector<IpAddress> own_addresses(const Site& site) {
  std::vector<IpAddress> own;
  try {
    own = interface_addresses();
  } catch (const Fault&) {
    // Postfix finds its own addresses by itself.
  }
  for (const auto item : split(site.proxies, ',')) {
    auto text = trim(item);
    if (text.starts_with('[') && text.ends_with(']')) {
      text = text.substr(1, text.size() - 2);
    }
    if (const auto address = IpAddress::parse(text)) own.push_back(*address);
  }
  return own;
}

void look_up_destinations(Config& config, const Site& site, const Generated& in_force) {
  const auto own = own_addresses(site);
  const IsInForce is_in_force = [&](std::string_view domain, std::string_view next_hop) {
    const auto* const hosted = in_force.find(domain);
    if (hosted == nullptr || !is_relayed(hosted->own)) return false;
    const auto all = next_hops(hosted->route);
    return std::find(all.begin(), all.end(), next_hop) != all.end();
  };
  const auto last = std::chrono::steady_clock::now() + kAllPatience;
  GatheredLookup lookup;
  DestinationProblems found;
  do {
    found = check_destinations(config, own, lookup, is_in_force);
  } while (lookup.fetch(last));
  std::move(found.errors.begin(), found.errors.end(), std::back_inserter(config.errors));
  std::move(found.warnings.begin(), found.warnings.end(),
            std::back_inserter(config.warnings));
}

}  // namespace mxfeed
