// SPDX-License-Identifier: GPL-2.0-or-later
//
// A generation as values: what is done with mail for each name, and its policy.

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

#include "common/base/clock.h"
#include "common/policy/domain_policy.h"
#include "postfix-conf/config/config.h"
#include "postfix-conf/generate/site.h"

namespace mxfeed {

// What is done with mail for a name, or for the names below it.
enum class Row : std::uint8_t {
  none,     // no row: the nearest parent decides; without one, not ours
  active,   // relayed
  paused,   // accepted, but waits in the queue
  protect,  // relayed; mail that the customer's server refuses waits
  kept,     // no longer accepted; queued mail is kept until there is none
  refused,  // not accepted, though a parent's row would accept it
};

constexpr bool is_relayed(Row row) {
  return row == Row::active || row == Row::paused || row == Row::protect;
}
std::string_view to_string(Row row);
std::optional<Row> parse_row(std::string_view text);

// What a new message for a domain that has rows gets.
enum class Intake : std::uint8_t {
  open,       // what the row says
  suspended,  // 450; what is in the queue is delivered
  gone,       // 450: it has vanished from the configuration a short while ago
};
std::string_view to_string(Intake intake);
std::optional<Intake> parse_intake(std::string_view text);

// A domain that has rows.
struct Hosted {
  std::string name;  // A-labels
  Row own = Row::active;
  Row below = Row::none;  // all names below it that have no row of their own
  Service service = Service::feed;
  std::uint32_t policy = 0;  // index in Generated::policies
  std::chrono::seconds queue_lifetime{0};
  std::string customer;  // id, or empty
  // "[192.0.2.7]:25, [mail.acme.example]:25", or its name: the MX hosts before ours.
  std::string route;
  Intake intake = Intake::open;
  Time gone_since{};  // when it vanished from the configuration; Time() if it is there
  Time extended_until{};  // its mail does not expire before; Time() for none
  OnRefusal on_refusal = OnRefusal::bounce;
  WhileUp while_up = WhileUp::accept;  // of a backup
  bool blocklist = false;              // clients on block lists are rejected
  bool callout = false;                // mxfeed-recipients is asked about recipients
  // What unknown recipients get while it cannot ask the server.
  WhileDown while_down = WhileDown::accept;
  std::uint64_t queue_quota = 0;  // bytes; 0 for none
  bool standby = false;  // copies of its mail go to mailboxes here, and it never expires
  std::string tls;  // of the delivery, as in smtp_tls_policy_maps; empty: as it comes

  bool operator==(const Hosted&) const = default;
};

// A mailbox that Dovecot serves.
struct MailboxRow {
  std::string domain, user;
  std::string password;  // "{SCHEME}HASH"; empty: nobody can log in
  auto operator<=>(const MailboxRow&) const = default;
};

// Fields of stored state that this version does not know, kept unchanged: names and
// values.
using UnknownFields = std::vector<std::pair<std::string, std::string>>;

// All of a generation.
struct Generated {
  GatewayPolicy gateway;       // its generation is set when it is written
  DomainPolicy foreign;        // of domains that are not ours
  std::vector<Hosted> hosted;  // in ascending order of name
  // Shared by the rows; name and subdomains are those of the rows.
  std::vector<DomainPolicy> policies;
  // Of the domains that take mail for these recipients only, by name; see Config.
  RecipientLists recipients;
  std::vector<MailboxRow> mailboxes;                          // by domain and user
  std::map<std::string, UnknownFields, std::less<>> unknown;  // by name of a domain
  std::vector<std::pair<std::string, std::string>> main_cf;   // name, value
  std::vector<std::string> master_cf;                         // lines
  LocalHost local;                                            // that it is for
  Site site;
  PostfixUse use;

  const Hosted* find(std::string_view name) const;
};

// Whether both are equal except for their number.
bool same(const Generated& a, const Generated& b);

// Adds rows that the generation does not have; both are in ascending order of name.
void merge_into(Generated& generated, std::vector<Hosted> more);

// Adds only those that a parent would relay: without a parent, a missing row refuses too.
void add_refused(Generated& generated, std::vector<Hosted> refused);

// Adds policies to the vector, each once.  The vector must outlive it.
class PolicyIndex {
 public:
  explicit PolicyIndex(std::vector<DomainPolicy>& policies);

  // The index of a policy that is equal except for name and subdomains.
  std::uint32_t add(DomainPolicy policy);

 private:
  std::vector<DomainPolicy>& policies_;
  std::unordered_map<std::string, std::uint32_t> by_value_;
};

// A name in the queue that must not lose its route: "acme.example", or ".acme.example"
// for all names below it.
using RelayKey = std::string;

// The row that decides about mail for a key: its own, or that of the nearest parent with
// one for the names below it, as Postfix looks them up.
struct Decision {
  Row row = Row::none;
  RelayKey key;  // of the row
};
Decision decide(const Generated& generated, const RelayKey& key);

// Whether a parent of the name relays all names below it.
bool is_covered(const Generated& generated, std::string_view name);

// Whether mail for the key is accepted, by its own row or that of a parent.
bool relays(const Generated& generated, const RelayKey& key);

// Null if there is none.
const MailboxRow* find_mailbox(const Generated& generated, std::string_view domain,
                               std::string_view user);

}  // namespace mxfeed
