// SPDX-License-Identifier: GPL-2.0-or-later
//
// The configuration as it was written: plain values, each with its place.  load_config()
// (load.h) reads it, compile() (compile.h) turns it into a generation.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/clock.h"
#include "common/mail/address.h"
#include "common/policy/domain_policy.h"

namespace mxfeed {

struct DomainSettings;

// Where something was written: Config::files[file], line.  Line 0 is a built-in default,
// or, for a problem, the file as a whole.
struct Place {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  auto operator<=>(const Place&) const = default;
};

template <typename T>
struct Sourced {
  T value{};
  Place place{};
  bool operator==(const Sourced&) const = default;
};

template <typename T>
struct Setting;

// Where the settings of a domain were written, by their rows of the table.
class Places {
 public:
  void set(const Setting<DomainSettings>& row, Place place);
  // Makes the places in the file of the domain count from it, so that domains that are
  // written alike have equal places.
  void make_relative(Place domain);
  // `domain` as for make_relative().
  Place of(const Setting<DomainSettings>& row, Place domain) const;

  bool operator==(const Places&) const = default;

 private:
  std::vector<std::pair<const Setting<DomainSettings>*, Place>> places_;
};

// An error, or a warning.  Reads
// "<file>:<line>: [<subject>: ][<key>: ]<cause>".
struct Problem {
  Place place;
  std::string subject;  // e.g. domain "acme.example"
  std::string key;      // e.g. spam.low.text
  std::string cause;
};

enum class Service : std::uint8_t { feed, backup, direct, mailbox };
enum class DomainState : std::uint8_t { active, paused, protect, suspended, removed };
// Mail for a backup while the customer's server answers.
enum class WhileUp : std::uint8_t { accept, defer };
enum class WhileDown : std::uint8_t { accept, defer };
enum class Blocklist : std::uint8_t { off, score, reject };
enum class OnRefusal : std::uint8_t { bounce, bounce_verified, hold };
enum class BackupRight : std::uint8_t { allowed, refused, suspended };

// A customer's server: an address, or the name of a host (A-labels) with A or AAAA
// records.
struct Endpoint {
  std::variant<IpAddress, std::string> host;
  std::uint16_t port;
  auto operator<=>(const Endpoint&) const = default;
  // Null if it is the other.
  const IpAddress* address() const { return std::get_if<IpAddress>(&host); }
  const std::string* name() const { return std::get_if<std::string>(&host); }
  std::string str() const;  // "[192.0.2.7]:25", as Postfix takes it
};

// A mailbox of a domain.
struct MailboxConfig {
  std::string user;      // its local part, lower case; see is_mailbox_user()
  std::string password;  // "{SCHEME}HASH", as Dovecot has it
  bool operator==(const MailboxConfig&) const = default;
};
// Takes copies for recipients that have no mailbox of their own.
inline constexpr std::string_view kCatchAllUser = "unknown";

// The policy of a domain without settings.
DomainPolicy built_in_policy();

// The settings of a domain, or in [defaults] of all domains.  The values here are the
// built-in defaults.
struct DomainSettings {
  // Given to the milters unchanged.  Its name, class and unknown fields stay empty.
  DomainPolicy policy = built_in_policy();
  Service service = Service::feed;
  std::vector<Endpoint> deliver_to;
  // Instead of deliver_to: the hosts of its MX records that come before ours.
  bool deliver_to_mx = false;
  bool dynamic_address = false;  // others may get the server's address
  DomainState state = DomainState::active;
  std::string requested;     // who asked for it, and when
  std::string acknowledged;  // who confirmed it, and when
  std::chrono::seconds queue_lifetime = std::chrono::hours(48);
  Time extend_until{};  // mail does not expire before; Time() for none
  WhileUp backup_while_up = WhileUp::accept;
  std::uint64_t queue_quota = 0;  // bytes; 0 for none
  bool standby_mailboxes = false;
  std::vector<MailboxConfig> mailboxes;  // in ascending order of user
  WhileDown callout_while_down = WhileDown::accept;
  // any | callout | list of N | file:NAME | command:NAME
  std::string recipients = "any";
  // The local parts of a list, lower case.
  std::vector<std::string> recipient_list;
  Blocklist blocklist = Blocklist::score;
  OnRefusal on_refusal = OnRefusal::bounce_verified;
  std::string tls;  // as in smtp_tls_policy_maps; empty for none
  std::uint64_t max_size = std::uint64_t{50} << 20;

  Places places;

  // The name of the command that prints the recipients; empty if there is none.
  std::string_view recipient_command() const;

  bool operator==(const DomainSettings&) const = default;
};

struct DomainConfig {
  std::string name;  // A-labels
  Place place;       // of the name
  std::uint32_t customer = kNoCustomer;
  std::vector<Endpoint> deliver_to;
  // Its own settings over those of [defaults], without deliver_to.  Lives in
  // Config::settings, shared by domains with equal settings: for its places see
  // place_of().
  const DomainSettings* settings = nullptr;

  static constexpr std::uint32_t kNoCustomer = 0xFFFFFFFF;

  // Line 0 if it is a built-in default.
  Place place_of(const Setting<DomainSettings>& row) const {
    return settings->places.of(row, place);
  }
};

struct CustomerConfig {
  std::string id;
  Place place;
  std::vector<std::string> contacts;
  BackupRight backup = BackupRight::allowed;
  unsigned max_backup_domains = 5;
};

// Where alerts go besides the log.
struct AlertChannels {
  std::vector<std::string> command;  // program and arguments; gets JSON; empty: none
  std::string webhook;               // a URL that gets JSON by POST; empty: none

  bool operator==(const AlertChannels&) const = default;
};

struct HostConfig {
  std::string name;
  Place place;
  std::vector<IpAddress> addresses;
};

// A program that prints the recipients of a domain.
struct RecipientCommand {
  std::string name;
  Place place;
  std::vector<std::string> command;  // with its whole path, and its arguments
};

// Postfix's default_destination_concurrency_limit.
inline constexpr unsigned kPostfixConnections = 20;

// Where the quarantine host takes what the other gateways hold.
inline constexpr unsigned kQuarantinePort = 2424;

// mxfeed.toml without [defaults].
struct GatewayConfig {
  std::vector<std::string> mx, backup_mx;
  std::vector<Network> allow_private;
  std::vector<Network> trusted_networks;
  std::vector<HostConfig> hosts;
  std::vector<RecipientCommand> recipient_commands;
  AlertChannels alerts;
  std::vector<std::string> source;  // [source] command, with its arguments; empty: none
  GatewayPolicy::Greylist greylist;
  GatewayPolicy::Virus virus;
  GatewayPolicy::Spam spam;
  GatewayPolicy::Redis redis;
  // What [defaults] starts from: built-in values, or those of [greylist] and [spam].
  DomainSettings base;
  bool smtputf8 = false;         // [postfix]: whether Postfix offers SMTPUTF8 (RFC 6531)
  bool scan_other_mail = false;  // [postfix]
  bool dedicated = false;        // [postfix]: whether this Postfix has no other use
  std::vector<std::string> verifiers, sealers;  // [postfix]: as in smtpd_milters
  std::vector<std::string> services;  // [postfix]: "2525/inet"; empty: those of port 25
  std::chrono::seconds removal_grace{std::chrono::hours(72)};
  // The provider's, for mail that customers' servers refuse; empty: none.
  Sourced<std::string> postmaster;
  std::vector<std::string> blocklists;         // as reject_rbl_client takes them
  unsigned connections = kPostfixConnections;  // [delivery]
  std::chrono::seconds rate_delay{0};          // [delivery]
  // [quarantine]: the [[host]] that holds for all; empty: each holds its own.
  Sourced<std::string> quarantine_host;
  unsigned quarantine_port = kQuarantinePort;
  // [mailbox]: how long copies can be read after the outage.
  std::chrono::seconds mailbox_keep{std::chrono::hours(24 * 30)};

  // Null if there is none.
  const HostConfig* find_host(std::string_view name) const;
};

// Why a customer's server cannot have the address; empty if it can.
std::string why_undeliverable(const GatewayConfig& gateway, const IpAddress& address);
// Whether MX records use the name, or a [[host]] has it.
bool is_gateway_name(const GatewayConfig& gateway, std::string_view name);

using RecipientLists = std::map<std::string, std::vector<std::string>, std::less<>>;

struct Config {
  Config() = default;
  // Domains point to settings.
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;
  Config(Config&&) = default;
  Config& operator=(Config&&) = default;

  std::vector<std::string> files;            // full paths
  std::size_t files_read = 0;                // how many of them were read: the first ones
  std::optional<std::uint32_t> source_file;  // which of them stands for [source]
  GatewayConfig gateway;
  DomainSettings
      defaults;  // [defaults] over the built-in ones: for mail of other domains
  std::vector<CustomerConfig> customers;
  std::list<DomainSettings> settings;  // of the domains
  std::vector<DomainConfig> domains;   // in ascending order of name
  // The local parts of the domains that have a list or a file of recipients, by name of
  // the domain.  In ascending order, each once.  Those of commands are missing until they
  // were run.
  RecipientLists recipients;
  std::vector<Problem> errors;  // by place; if there are any, the rest must not be used
  std::vector<Problem> warnings;
  std::string digest;  // of all that was read

  std::string describe(const Problem& problem) const;
  std::string describe(const Place& place) const;  // "FILE:LINE" or "default"
  const DomainConfig* find(std::string_view name) const;
  const RecipientCommand* find_recipient_command(std::string_view name) const;
};

// The words of the configuration; more of them in domain_policy.h.
std::string_view to_string(Service value);
std::string_view to_string(DomainState value);
std::string_view to_string(WhileUp value);
std::string_view to_string(WhileDown value);
std::string_view to_string(Blocklist value);
std::string_view to_string(OnRefusal value);
std::string_view to_string(BackupRight value);

}  // namespace mxfeed
