// SPDX-License-Identifier: GPL-2.0-or-later
//
// The policy of one mail domain as the milters see it: validated, complete (every default
// has become a value) and cheap to copy; and the settings of the whole gateway.  The
// compiler in postfix-conf is the only producer, PolicyDb (policy_db.h) the only reader.
//
// Fields are stored with tags; unknown ones are kept as they are, so that a program of
// the next version reads the policy of this one and the other way round.
//
// To add a field: add it here, a tag in domain_policy.cpp, a row in
// postfix-conf/config/settings and a paragraph in mxfeed.toml(5).  domain_policy_test,
// settings_test and compile_settings_test fail until they agree.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/address.h"
#include "common/mail/envelope.h"
#include "common/policy/attachment_policy.h"
#include "common/policy/block_list.h"
#include "common/policy/scored_list.h"
#include "common/policy/sender_list.h"

namespace mxfeed {

enum class GreylistWhen : std::uint8_t { always, suspicious, never };

struct GreylistPolicy {
  GreylistWhen when = GreylistWhen::always;
  bool shadow = false;              // log what would have been deferred
  std::chrono::seconds delay{180};  // a retry before this is too early
  // The same for clients without a verified identity, if it is longer.
  std::chrono::seconds unverified_delay{900};
  std::chrono::seconds retry_window{86'400};  // a retry after this starts anew
  std::chrono::seconds keep{3'110'400};       // how long a known sender is remembered
  // Local parts, in lower case, that nobody has a reason to write to, and what a new
  // sender waits for at least after its client did.
  std::vector<std::string> traps;
  std::chrono::seconds trap_delay{3600};
  // Senders that are never greylisted, and those that always are.  They come before the
  // lists of the gateway; in each, `allow` comes first.
  SenderList allow, deny;
  bool operator==(const GreylistPolicy&) const = default;
};

enum class VirusAction : std::uint8_t { discard, reject, quarantine };
enum class EncryptedAction : std::uint8_t { header, reject };

struct VirusPolicy {  // scanning itself has no switch
  VirusAction infected = VirusAction::discard;
  VirusAction unscannable = VirusAction::reject;  // limits exceeded
  EncryptedAction encrypted = EncryptedAction::header;
  bool operator==(const VirusPolicy&) const = default;
};

enum class SpamLevel : std::uint8_t { none, low, med, high };
enum class SpamAction : std::uint8_t {
  none,
  header,
  subject,
  discard,
  reject,
  quarantine
};

enum class SpamEngine : std::uint8_t { builtin, rspamd, spamd };
enum class EngineRole : std::uint8_t {
  verdict,  // it decides instead of the built-in classifier
  evidence  // what it says is evidence like any other
};

struct SpamRule {
  SpamAction action = SpamAction::none;
  std::string text;  // "Name: value" of a header, text before a subject; else empty
  bool operator==(const SpamRule&) const = default;
};

struct SpamPolicy {
  bool enabled = false;
  // "high" deletes and rejects though the classifier has not proved itself here yet.
  bool immature_acts = false;
  bool uses_lists = true;  // those of the gateway
  // Probability of spam at which low, med and high begin; strictly rising.
  std::array<double, 3> begins{0.5, 0.9, 0.99};
  std::array<SpamRule, 4> rules;  // indexed by SpamLevel; [none] has no action
  SpamRule bulk;                  // newsletters and such, of level none
  bool asks_lists() const { return enabled && uses_lists; }
  bool operator==(const SpamPolicy&) const = default;
};

// Whose mail is wanted, and whose is not, for mxfeed-spam.
struct SenderPolicy {
  SenderList allow, block;
  // "Name <address>": whose name nobody else may show.
  std::vector<std::string> protect;
  bool operator==(const SenderPolicy&) const = default;
};

// Recipients whose mail mxfeed-spam learns from; nothing of it is delivered.  Not a part
// of SpamPolicy, which decides with whom a recipient may share a transaction.
struct TeachingPolicy {
  std::vector<std::string> traps;  // local parts in lower case: all mail to them is spam
  // Where the customer reports what was judged wrong: local parts in lower case, or
  // empty.
  std::string report_spam, report_ham;
  // Whose domains may report; empty: only the domain itself.
  std::string customer;
  // The domain's own: they may report without further proof of the sender.
  std::vector<Network> servers;
  bool has_reports() const { return !report_spam.empty() || !report_ham.empty(); }
  bool is_used() const { return !traps.empty() || has_reports(); }
  bool operator==(const TeachingPolicy&) const = default;
};

// What mxfeed-quarantine holds.
struct QuarantinePolicy {
  std::chrono::seconds keep = std::chrono::hours(24 * 30);
  std::uint64_t quota = 0;  // bytes of the domain; 0: no limit
  bool operator==(const QuarantinePolicy&) const = default;
};

struct DomainPolicy {
  std::string name;         // A-labels; empty: the policy of domains that are not ours
  bool subdomains = false;  // also for every name below it that has no entry of its own
  GreylistPolicy greylist;
  VirusPolicy virus;
  AttachmentPolicy attachments;
  SpamPolicy spam;
  SenderPolicy senders;
  QuarantinePolicy quarantine;
  TeachingPolicy teaching;
  std::uint64_t max_size = 0;  // of a message, in octets; 0: no limit but Postfix's
  // Domains whose policies of content and max_size are equal have the same class:
  // their recipients may share a transaction.  0: not one of our domains.
  std::uint32_t content_class = 0;
  std::string unknown;  // fields of a later version, as they are stored
  bool is_hosted() const { return content_class != 0; }
  bool operator==(const DomainPolicy&) const = default;
};

// The words of the configuration: "discard" is "delete" there.
std::string_view to_string(GreylistWhen value);
std::string_view to_string(VirusAction value);
std::string_view to_string(EncryptedAction value);
std::string_view to_string(SpamAction value);
std::string_view to_string(SpamEngine value);
std::string_view to_string(EngineRole value);

// As GatewayPolicy::Greylist::store: the servers of GatewayPolicy::Redis.
inline constexpr std::string_view kRedisStore = "redis";

// What the servers of GatewayPolicy::Redis are.
enum class RedisType : std::uint8_t { single, sentinel, cluster };
std::string_view to_string(RedisType value);

// What holds for the whole gateway.
struct GatewayPolicy {
  std::uint64_t generation = 0;
  std::vector<Network> trusted_networks;
  // Whether mail without a recipient in one of our domains is scanned for viruses.  The
  // defaults are those of a policy that was written before there were these fields.
  bool scan_other_mail = true;
  bool smtputf8 = true;  // whether the servers of our domains take SMTPUTF8 (RFC 6531)
  // This host, as the servers of our domains know it; empty if it is unknown.  Of each
  // family the first address is the one that mail is delivered from.
  std::string host_name;
  std::vector<Network> host_addresses;

  struct Greylist {
    // "sqlite:PATH", a relative path is below <state>/greylist; or kRedisStore.
    std::string store = "sqlite:greylist.db";
    bool fallback = true;  // to a database of this host while Redis does not answer
    unsigned ipv4_prefix = 24;
    unsigned ipv6_prefix = 64;
    unsigned code = 450;  // 450 or 451
    std::string text = "Greylisted, please try again in a few minutes";
    // How long a recipient waits for the SPF check of the sender; 0: it is not checked.
    std::chrono::seconds spf_timeout{2};
    SenderList allow, deny;  // of all domains, see GreylistPolicy
    // A client that one of them has is suspicious, whatever its identity.
    std::vector<BlockList> blocklists;
    bool operator==(const Greylist&) const = default;
  } greylist;

  struct Virus {
    std::string database = "/var/lib/clamav";    // a directory or a file
    unsigned workers = 0;                        // 0: one a core
    std::uint64_t max_scan_size = 400ull << 20;  // bytes looked at, unpacked included
    std::uint64_t max_file_size = 100ull << 20;  // of one object
    unsigned max_files = 10'000;
    unsigned max_recursion = 17;
    std::chrono::seconds max_scan_time{25};
    // New signatures are loaded when the old ones are gone: half of the memory, but mail
    // waits meanwhile.
    bool reload_in_place = false;
    bool operator==(const Virus&) const = default;
  } virus;

  struct Spam {
    // How long a message waits for the SPF check of its sender; 0: it is not checked.
    std::chrono::seconds spf_timeout{5};
    std::vector<ScoredList> lists;
    // How long a message waits for their answers after its end.
    std::chrono::seconds lists_timeout{2};
    // The verifiers before us, by the name that they give in Authentication-Results (RFC
    // 8601, 2.5); empty: there are none.
    std::string authserv_id;
    // What they always report, even that there is nothing: "dkim", "dmarc", "arc".  What
    // else stands in their name may be the sender's.
    std::vector<std::string> authserv_results{"dkim"};
    // Who may vouch for what he forwards; lower case.
    std::vector<std::string> arc_sealers;
    SpamEngine engine = SpamEngine::builtin;
    std::string engine_server;  // as ServerAddress takes it; empty: on this host
    EngineRole engine_role = EngineRole::verdict;
    // How long a message waits for it; then the built-in classifier decides.
    std::chrono::seconds engine_timeout{5};
    bool operator==(const Spam&) const = default;
  } spam;

  // What hosts share what they learn through.
  struct Redis {
    std::vector<std::string> servers;  // as RedisAddress takes them; none: no Redis
    RedisType type = RedisType::single;
    std::string master;  // as the Sentinels name it
    std::string user;
    std::string password_file;      // a whole path, or empty
    std::string prefix = "mxfeed";  // of all keys
    bool operator==(const Redis&) const = default;
  } redis;

  struct Quarantine {
    // Whether Postfix has the transport to it; otherwise mail is put on hold instead.
    bool is_reachable = false;
    bool operator==(const Quarantine&) const = default;
  } quarantine;

  std::string unknown;  // fields of a later version, as they are stored

  // Why the client is trusted: "local" (not from the network), "authenticated" or
  // "trusted-network"; empty for a stranger.  Mail of a trusted client is not greylisted,
  // has no spam actions, and its recipients are not kept apart.
  std::string_view trust(const Envelope& envelope) const;
  bool operator==(const GatewayPolicy&) const = default;
};

// The values in policy.cdb.
std::string encode(const DomainPolicy& policy);
std::string encode(const GatewayPolicy& policy);
// Nothing if the bytes are not such a value; missing tags leave the default.
std::optional<DomainPolicy> decode_domain_policy(std::string_view bytes);
std::optional<GatewayPolicy> decode_gateway_policy(std::string_view bytes);

// The value of one domain in two parts: its own, and what it has in common with others.
// Lets a million domains be written and compared without encoding each.
struct StoredPolicy {
  std::string_view name;
  bool subdomains = false;
  std::string_view shared;  // decode_domain_policy() needs the whole value
};
// Nothing if the first part is damaged; the shared one is not looked at.
std::optional<StoredPolicy> split_policy(std::string_view bytes);

// A policy encoded for all domains that have it.
class EncodedPolicy {
 public:
  // The name and subdomains of `policy` do not count.
  explicit EncodedPolicy(const DomainPolicy& policy);

  std::string_view shared() const { return shared_; }
  // What encode() makes of the policy with this name.
  void append_value(std::string_view name, bool subdomains, std::string& out) const;

 private:
  std::string shared_;
};

}  // namespace mxfeed
