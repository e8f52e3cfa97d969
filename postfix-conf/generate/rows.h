// SPDX-License-Identifier: GPL-2.0-or-later
//
// A generation as values: what is done with mail for each name, and by which policy.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/policy/domain_policy.h"
#include "postfix-conf/config/config.h"

namespace mxfeed {

// What is done with mail for a name, or for the names below it.
enum class Row : std::uint8_t {
  none,     // no row: what a parent has for the names below it, else not ours
  active,   // relayed
  paused,   // taken, and waits
  protect,  // relayed; the customer's 5xx waits
  kept,     // taken no longer; what waits is kept until the queue has none of it
  refused,  // taken no longer, though a parent's row would take it
};

constexpr bool is_relayed(Row row) {
  return row == Row::active || row == Row::paused || row == Row::protect;
}
std::string_view to_string(Row row);
std::optional<Row> parse_row(std::string_view text);

// A domain that has rows.
struct Hosted {
  std::string name;  // A-labels
  Row own = Row::active;
  Row below = Row::none;  // all names below it that have no row of their own
  Service service = Service::feed;
  std::uint32_t policy = 0;  // index in Generated::policies
  std::chrono::seconds queue_lifetime{0};
  std::string customer;  // id, or empty
  std::string route;     // "[192.0.2.7]:25, [192.0.2.8]:25"
};

// What this version does not know of stored state, kept as it is: names and values.
using UnknownFields = std::vector<std::pair<std::string, std::string>>;

// All of a generation.
struct Generated {
  GatewayPolicy gateway;       // its generation is set when it is written
  DomainPolicy foreign;        // of domains that are not ours
  std::vector<Hosted> hosted;  // in rising order of name
  // What the rows share; name and subdomains are the rows'.
  std::vector<DomainPolicy> policies;
  std::map<std::string, UnknownFields, std::less<>> unknown;  // by name of a domain
  std::vector<std::pair<std::string, std::string>> main_cf;   // name, value
  std::vector<std::string> master_cf;                         // lines

  const Hosted* find(std::string_view name) const;
};

// Whether both are the same but for the number.
bool same(const Generated& a, const Generated& b);

// Adds rows that the generation does not have; both are in rising order of name.
void merge_into(Generated& generated, std::vector<Hosted> more);

// Adds those that a parent relays: without its row, having none refuses them too.
void add_refused(Generated& generated, std::vector<Hosted> refused);

// Adds policies, each once.  Lives no longer than the vector.
class PolicyIndex {
 public:
  explicit PolicyIndex(std::vector<DomainPolicy>& policies);

  // The index of a policy that is equal but for name and subdomains.
  std::uint32_t add(DomainPolicy policy);

 private:
  std::vector<DomainPolicy>& policies_;
  std::unordered_map<std::string, std::uint32_t> by_value_;
};

// A name in the queue that must not lose its route: "acme.example", or ".acme.example"
// for all names below it.
using RelayKey = std::string;

// What decides about mail for a key: its own row, else that of the nearest parent that
// has one for the names below it, as Postfix looks them up.
struct Decision {
  Row row = Row::none;
  RelayKey key;  // of the row
};
Decision decide(const Generated& generated, const RelayKey& key);

// Whether a parent of the name relays all names below it.
bool is_covered(const Generated& generated, std::string_view name);

// Whether mail for the key is taken, by its own rows or those of a parent.
bool relays(const Generated& generated, const RelayKey& key);

}  // namespace mxfeed
