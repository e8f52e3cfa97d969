// SPDX-License-Identifier: GPL-2.0-or-later
//
// From configuration to what is generated: functions of values, no I/O.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/policy/domain_policy.h"
#include "postfix-conf/config/config.h"

namespace mxfeed {

// A domain that is relayed here, or was.
struct Hosted {
  std::string name;
  Service service = Service::feed;
  // removed: no mail is taken; what waits stays until the queue has none of it.
  DomainState state = DomainState::active;
  // removed, and nothing waits: it has a row only since a parent relays its subdomains,
  // of which it is configured to be none.
  bool refused = false;
  bool subdomains = false;
  // Names below it are relayed no longer, but mail for them may wait.
  bool subdomains_removed = false;
  std::chrono::seconds queue_lifetime{0};
  std::string customer;  // id, or empty
  std::string route;     // "[192.0.2.7]:25, [192.0.2.8]:25"
  DomainPolicy policy;   // content_class: by assign_classes()

  bool is_relayed() const { return state != DomainState::removed; }
  // Until the queue has nothing of it.
  bool is_kept() const { return !is_relayed() && !refused; }
  bool operator==(const Hosted&) const = default;
};

// All of a generation.
struct Generated {
  GatewayPolicy gateway;       // its generation is set when it is written
  DomainPolicy foreign;        // of domains that are not ours
  std::vector<Hosted> hosted;  // in rising order of name
  std::vector<std::pair<std::string, std::string>> main_cf;  // name, value
  std::vector<std::string> master_cf;                        // lines

  const Hosted* find(std::string_view name) const;
  bool operator==(const Generated&) const = default;
};

// `config` is without errors; `local` is the host to generate for, null if unknown;
// `state` the absolute path of --state.
Generated compile(const Config& config, const HostConfig* local,
                  const std::string& state);

// A name in the queue that must not lose its route: "acme.example", or ".acme.example"
// for all names below it.
using RelayKey = std::string;

// Whether mail for the key is taken, by its own rows or those of a parent.
bool relays(const Generated& generated, const RelayKey& key);

// What an earlier generation kept and a later one may drop when nothing waits.
std::vector<RelayKey> kept_keys(const Generated& previous);

// Adds to `next` what `previous` relayed and `next` does not, as removed; and what
// `previous` kept already, if `waits` says that the queue has mail for the key.  What is
// refused is removed only, as long as mail may wait.
void keep_removed(Generated& next, const Generated& previous,
                  const std::function<bool(const RelayKey&)>& waits);

// Numbers the classes: equal virus and spam policy, equal number, from 1.
void assign_classes(std::vector<Hosted>& hosted);

struct Removals {
  std::size_t count = 0;  // domains that are relayed in the one, not in the other
  std::size_t of = 0;     // domains that were relayed
  bool nothing_left = false;
  // More than ten and more than 1 %, or all of them.
  bool are_many() const {
    return (count > 10 && count * 100 > of) || (count > 0 && nothing_left);
  }
};

// Without what it had kept: that is decided anew.  What a parent would relay otherwise is
// refused.
Generated without_removed(Generated generated);

Removals count_removals(const Generated& next, const Generated& previous);

// What changes, a line each: "+ a.example ...", "- b.example", "~ c.example: route ...".
std::vector<std::string> differences(const Generated& next, const Generated& previous);

}  // namespace mxfeed
