// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/domain_policy.h"

#include <functional>
#include <limits>
#include <random>
#include <tuple>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

SenderList list_of(std::string_view text) {
  SenderList list;
  list.add(std::get<ListEntry>(ListEntry::parse(text)));
  return list;
}

// Every field differs from its default.
DomainPolicy full_domain() {
  DomainPolicy p;
  p.name = "xn--bcher-kva.example";
  p.subdomains = true;
  p.greylist = {GreylistWhen::never,      true,
                std::chrono::seconds(61), std::chrono::seconds(62),
                std::chrono::seconds(7),  std::chrono::hours(9000),
                {"old-sales", "x"},       std::chrono::seconds(8),
                list_of("192.0.2.0/24"),  list_of("@shop.example")};
  p.virus = {VirusAction::quarantine, VirusAction::discard, EncryptedAction::reject};
  p.attachments = {
      AttachmentPreset::strict, {".tar.gz", "macro"}, AttachmentAction::header};
  p.spam.enabled = true;
  p.spam.immature_acts = true;
  p.spam.uses_lists = false;
  p.spam.begins = {0.125, 0.7, 0.9999999};
  p.spam.rules[0] = {SpamAction::header, "X-Mxfeed-Spam: none"};
  p.spam.rules[1] = {SpamAction::subject, "[SPAM: low] "};
  p.spam.rules[2] = {SpamAction::reject, "zwei \xE2\x82\xAC"};
  p.spam.rules[3] = {SpamAction::quarantine, std::string(300, 'x')};
  p.content_class = 4'000'000'000;
  p.max_size = 1ull << 40;
  p.unknown = std::string("\x04\x01z\x70\x02zz", 7);  // tags 4 and 112
  p.senders = {list_of("@partner.example"),
               list_of("news@shop.example"),
               {"Anna Beck <anna@acme.example>"}};
  p.spam.bulk = {SpamAction::header, "X-Bulk: yes"};
  p.teaching = {
      {"old-sales", "x"}, "is-spam", "not-spam", "acme", {*Network::parse("192.0.2.7")}};
  return p;
}

GatewayPolicy full_gateway() {
  GatewayPolicy p;
  p.generation = std::numeric_limits<std::uint64_t>::max();
  p.trusted_networks = {*Network::parse("192.0.2.0/24"), *Network::parse("198.51.100.7"),
                        *Network::parse("2001:db8::/32")};
  p.scan_other_mail = false;
  p.smtputf8 = false;
  p.host_name = "mx1.isp.example";
  p.host_addresses = {*Network::parse("192.0.2.25"), *Network::parse("2001:db8::25")};
  p.greylist = {"redis",
                false,
                25,
                48,
                451,
                std::string("a\0b", 3),
                std::chrono::seconds(9),
                list_of("2001:db8::/32"),
                list_of(".bulk.example"),
                {*BlockList::parse("zen.example=127.0.0.[2..11]")}};
  p.virus = {"/srv/signatures", 3, 1ull << 40, 7, 8, 9, std::chrono::seconds(11), true};
  p.spam = {std::chrono::seconds(12),
            {*ScoredList::parse("client zen.example=127.0.0.[2..11] 2.5"),
             *ScoredList::parse("url uri.example=127.0.1.2 4")},
            std::chrono::seconds(13),
            "mx1.isp.example",
            {"dkim", "arc"},
            {"lists.example"},
            SpamEngine::spamd,
            "192.0.2.9:783",
            EngineRole::evidence,
            std::chrono::seconds(14)};
  p.redis = {{"192.0.2.7:6379", "unix:/run/redis/redis.sock"},
             RedisType::sentinel,
             "mymaster",
             "mxfeed",
             "/etc/mxfeed/redis.password",
             "isp"};
  p.quarantine = {true};
  p.unknown = std::string("\x29\x00", 2);
  return p;
}

struct DomainField {
  const char* name;
  std::function<void(DomainPolicy&)> set;
};

const DomainField kDomainFields[] = {
    {"name", [](auto& p) { p.name = full_domain().name; }},
    {"subdomains", [](auto& p) { p.subdomains = true; }},
    {"content_class", [](auto& p) { p.content_class = 7; }},
    {"max_size", [](auto& p) { p.max_size = 65'536; }},
    {"greylist.when", [](auto& p) { p.greylist.when = GreylistWhen::suspicious; }},
    {"greylist.shadow", [](auto& p) { p.greylist.shadow = true; }},
    {"greylist.delay", [](auto& p) { p.greylist.delay = std::chrono::seconds(0); }},
    {"greylist.retry_window",
     [](auto& p) { p.greylist.retry_window = std::chrono::seconds(256); }},
    {"greylist.keep", [](auto& p) { p.greylist.keep = std::chrono::seconds(65'536); }},
    {"greylist.allow", [](auto& p) { p.greylist.allow = list_of("user@shop.example"); }},
    {"greylist.deny", [](auto& p) { p.greylist.deny = list_of("mail.shop.example"); }},
    {"virus.infected", [](auto& p) { p.virus.infected = VirusAction::reject; }},
    {"virus.unscannable", [](auto& p) { p.virus.unscannable = VirusAction::discard; }},
    {"virus.encrypted", [](auto& p) { p.virus.encrypted = EncryptedAction::reject; }},
    {"attachments.preset",
     [](auto& p) { p.attachments.preset = AttachmentPreset::executables; }},
    {"attachments.blocked", [](auto& p) { p.attachments.blocked = {".exe"}; }},
    {"attachments.action",
     [](auto& p) { p.attachments.action = AttachmentAction::discard; }},
    {"spam.enabled", [](auto& p) { p.spam.enabled = true; }},
    {"spam.immature_acts", [](auto& p) { p.spam.immature_acts = true; }},
    {"spam.uses_lists", [](auto& p) { p.spam.uses_lists = false; }},
    {"spam.begins[0]", [](auto& p) { p.spam.begins[0] = 0.1; }},
    {"spam.begins[1]", [](auto& p) { p.spam.begins[1] = -0.0; }},
    {"spam.begins[2]", [](auto& p) { p.spam.begins[2] = 1.0; }},
    {"spam.rules[0]",
     [](auto& p) {
       p.spam.rules[0] = {SpamAction::header, "a"};
     }},
    {"spam.rules[1]",
     [](auto& p) {
       p.spam.rules[1] = {SpamAction::discard, ""};
     }},
    {"spam.rules[2]",
     [](auto& p) {
       p.spam.rules[2] = {SpamAction::none, "b"};
     }},
    {"spam.rules[3]",
     [](auto& p) {
       p.spam.rules[3] = {SpamAction::subject, "c"};
     }},
    {"senders.allow", [](auto& p) { p.senders.allow = list_of("@partner.example"); }},
    {"senders.block", [](auto& p) { p.senders.block = list_of("192.0.2.0/24"); }},
    {"senders.protect", [](auto& p) { p.senders.protect = {"Anna B <a@b.example>"}; }},
    {"spam.bulk.action", [](auto& p) { p.spam.bulk.action = SpamAction::header; }},
    {"spam.bulk.text", [](auto& p) { p.spam.bulk.text = "X-Bulk: yes"; }},
    {"teaching.traps", [](auto& p) { p.teaching.traps = {"old-sales"}; }},
    {"teaching.report_spam", [](auto& p) { p.teaching.report_spam = "is-spam"; }},
    {"teaching.report_ham", [](auto& p) { p.teaching.report_ham = "not-spam"; }},
    {"teaching.customer", [](auto& p) { p.teaching.customer = "acme"; }},
    {"teaching.servers",
     [](auto& p) { p.teaching.servers = {*Network::parse("2001:db8::7")}; }},
    {"quarantine.keep", [](auto& p) { p.quarantine.keep = std::chrono::seconds(13); }},
    {"quarantine.quota", [](auto& p) { p.quarantine.quota = 1ull << 33; }},
};

TEST_CASE("each field of a domain's policy survives storage alone", "[policy]") {
  for (const auto& c : kDomainFields) {
    DYNAMIC_SECTION(c.name) {
      DomainPolicy policy;
      c.set(policy);
      if (std::string_view(c.name) != "spam.begins[1]") {
        CHECK_FALSE(policy == DomainPolicy{});
      }
      CHECK(decode_domain_policy(encode(policy)) == policy);
    }
  }
}

TEST_CASE("a whole policy survives storage", "[policy]") {
  CHECK(decode_domain_policy(encode(full_domain())) == full_domain());
  CHECK(decode_domain_policy(encode(DomainPolicy{})) == DomainPolicy{});
  CHECK(decode_gateway_policy(encode(full_gateway())) == full_gateway());
  CHECK(decode_gateway_policy(encode(GatewayPolicy{})) == GatewayPolicy{});
}

// A new field stops this from compiling: then it belongs into encode, decode and the
// tests above.
TEST_CASE("no field was added without storage", "[policy]") {
  const DomainPolicy domain;
  const auto& [name, subdomains, greylist, virus, attachments, spam, senders, quarantine,
               teaching, max_size, content_class, later] = domain;
  const auto& [spam_traps, report_spam, report_ham, customer, own_servers] = teaching;
  const auto& [wanted, unwanted, people] = senders;
  const auto& [preset, blocked, attachment_action] = attachments;
  const auto& [when, shadow, delay, unverified, retry_window, keep, traps, trap_delay,
               allow, deny] = greylist;
  const auto& [infected, unscannable, encrypted] = virus;
  const auto& [enabled, immature_acts, uses_lists, begins, rules, bulk] = spam;
  const auto& [action, text] = rules[0];
  const GatewayPolicy gateway;
  const auto& [generation, trusted_networks, scan_other_mail, smtputf8, host_name,
               host_addresses, greylist_store, engine, classifier, shared, held, latest] =
      gateway;
  const auto& [store, fallback, ipv4_prefix, ipv6_prefix, code, reply, greylist_spf,
               allow_all, deny_all, blocklists] = greylist_store;
  const auto& [database, workers, scan_size, file_size, files, recursion, time,
               in_place] = engine;
  const auto& [spf_timeout, scored, scored_timeout, verifier, reported, arc, named,
               server, role, wait] = classifier;
  const auto& [servers, type, master, user, password_file, prefix] = shared;
  const auto& [held_for, quota] = quarantine;
  const auto& [is_reachable] = held;
  static_cast<void>(std::tie(
      name, subdomains, max_size, content_class, when, shadow, delay, unverified,
      retry_window, keep, traps, trap_delay, allow, deny, infected, unscannable,
      encrypted, preset, blocked, attachment_action, enabled, immature_acts, uses_lists,
      begins, action, text, generation, trusted_networks, scan_other_mail, smtputf8,
      host_name, host_addresses, store, ipv4_prefix, ipv6_prefix, code, reply,
      greylist_spf, allow_all, deny_all, blocklists, database, workers, scan_size,
      file_size, files, recursion, time, in_place, spf_timeout, scored, scored_timeout,
      verifier, reported, arc, named, server, role, wait, servers, type, master, user,
      password_file, prefix, is_reachable, wanted, unwanted, people, bulk, held_for,
      quota, spam_traps, report_spam, report_ham, customer, own_servers, later, latest));
  CHECK(begins.size() == 3);
  CHECK(rules.size() == 4);
}

TEST_CASE("a client is trusted by its network, by SASL, or if it is local", "[policy]") {
  GatewayPolicy gateway;
  gateway.trusted_networks = {*Network::parse("192.0.2.0/24"),
                              *Network::parse("2001:db8:1::/48")};
  struct {
    const char* address;  // nullptr: not from the network
    bool authenticated;
    std::string_view trust;
  } const rows[] = {
      {"198.51.100.7", false, ""},
      {"198.51.100.7", true, "authenticated"},
      {"192.0.2.7", false, "trusted-network"},
      {"192.0.3.0", false, ""},
      {"2001:db8:1::7", false, "trusted-network"},
      {"2001:db8:2::7", false, ""},
      {nullptr, false, "local"},
  };
  for (const auto& row : rows) {
    Envelope envelope;
    if (row.address != nullptr) envelope.client.address = IpAddress::parse(row.address);
    envelope.authenticated = row.authenticated;
    CHECK(gateway.trust(envelope) == row.trust);
  }
}

TEST_CASE("a gateway's policy of an earlier version scans all mail", "[policy]") {
  const auto policy = decode_gateway_policy(std::string("G\0", 2));
  REQUIRE(policy);
  CHECK(policy->scan_other_mail);
  CHECK(policy->smtputf8);
}

// 'D', tag 5 (unknown here) "zz", tag 11 (greylist.shadow) 1, tag 200 "", end.
const std::string kFromLater{"D\x05\x02zz\x0b\x01\x01\xc8\x01\x00\x00", 12};

TEST_CASE("unknown tags are kept and missing ones leave the default", "[policy]") {
  DomainPolicy want;
  want.greylist.shadow = true;
  want.unknown = std::string("\x05\x02zz\xc8\x01\x00", 7);
  CHECK(decode_domain_policy(kFromLater) == want);
  CHECK(decode_domain_policy(encode(want)) == want);
  CHECK(decode_domain_policy(std::string("D\0", 2)) == DomainPolicy{});
  GatewayPolicy gateway;
  gateway.unknown = "\x07\x01x";
  CHECK(decode_gateway_policy(std::string("G\x07\x01x\0", 5)) == gateway);
  CHECK(decode_gateway_policy(encode(gateway)) == gateway);
}

TEST_CASE("a policy encoded for many domains is that of each", "[policy]") {
  for (const auto& policy : {full_domain(), DomainPolicy{}}) {
    const EncodedPolicy encoded(policy);
    for (const char* const name : {"", "a.example", "xn--bcher-kva.example"}) {
      for (const bool subdomains : {false, true}) {
        auto want = policy;
        want.name = name;
        want.subdomains = subdomains;
        std::string value;
        encoded.append_value(name, subdomains, value);
        CHECK(value == encode(want));
        const auto stored = split_policy(value);
        REQUIRE(stored);
        CHECK(stored->name == name);
        CHECK(stored->subdomains == subdomains);
        CHECK(stored->shared == encoded.shared());
      }
    }
  }
}

TEST_CASE("a policy without a name of its own is split too", "[policy]") {
  const auto none = split_policy(kFromLater);
  REQUIRE(none);
  CHECK(none->name.empty());
  CHECK_FALSE(none->subdomains);
  CHECK(none->shared == std::string_view(kFromLater).substr(1));
  CHECK_FALSE(split_policy(""));
  CHECK_FALSE(split_policy("G"));
  CHECK_FALSE(split_policy("D\x01\x7fx"));
  CHECK_FALSE(split_policy(std::string("D\x02\x01\x02\0", 5)));
}

struct DamagedCase {
  const char* name;
  std::string bytes;
};

const DamagedCase kDamaged[] = {
    {"nothing", ""},
    {"no end", "D"},
    {"another kind of value", encode(GatewayPolicy{})},
    {"bytes after the end", encode(DomainPolicy{}) + "x"},
    {"a tag twice", std::string("D\x02\x01\x01\x02\x01\x01\0", 8)},
    {"falling tags", std::string("D\x03\x01\x01\x02\x01\x01\0", 8)},
    {"a bool of 2", std::string("D\x02\x01\x02\0", 5)},
    {"an enum past its last value", std::string("D\x0a\x01\x03\0", 5)},
    {"a class of 33 bits", std::string("D\x03\x05\0\0\0\0\x01\0", 9)},
    {"a number of nine bytes", std::string("D\x03\x09\x01\0\0\0\0\0\0\0\0\0", 13)},
    {"negative seconds", std::string("D\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff\0", 12)},
    {"a list without entries of a kind", std::string("D\x18\x03\x02xa\0", 7)},
    {"a double of four bytes", std::string("D\x34\x04\0\0\0\0\0", 8)},
    {"not a number", std::string("D\x34\x08\0\0\0\0\0\0\xf8\x7f\0", 12)},
    {"a length past the end", std::string("D\x01\x7fx\0", 5)},
    {"a length without end", "D\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
};

TEST_CASE("damaged bytes are no policy", "[policy]") {
  for (const auto& c : kDamaged) {
    DYNAMIC_SECTION(c.name) {
      CHECK_FALSE(decode_domain_policy(c.bytes));
    }
  }
  CHECK_FALSE(decode_gateway_policy(std::string("G\x02\x02\x05x\0", 6)));
  CHECK_FALSE(decode_gateway_policy(std::string("G\x02\x03\x02no\0", 7)));
  CHECK(
      decode_gateway_policy(std::string("G\x02\x0b\x0a"
                                        "10.0.0.0/8\0",
                                        15)));
  CHECK_FALSE(
      decode_gateway_policy(std::string("G\x02\x0b\x0a"
                                        "10.0.0.1/8\0",
                                        15)));
}

TEST_CASE("a policy cut short is no policy", "[policy]") {
  const auto domain = encode(full_domain());
  for (std::size_t n = 0; n < domain.size(); ++n) {
    if (decode_domain_policy(domain.substr(0, n))) FAIL("taken with " << n << " bytes");
  }
  const auto gateway = encode(full_gateway());
  for (std::size_t n = 0; n < gateway.size(); ++n) {
    if (decode_gateway_policy(gateway.substr(0, n))) FAIL("taken with " << n << " bytes");
  }
}

TEST_CASE("any bytes decode to a policy or to nothing", "[policy]") {
  std::mt19937 random(20261121);
  const auto whole = encode(full_domain());
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    if (round % 2 == 0) {
      bytes.resize(random() % 64);
      for (char& c : bytes) c = static_cast<char>(random());
      bytes.insert(0, round % 4 == 0 ? "D" : "G");
    } else {
      bytes = whole;
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (const auto domain = decode_domain_policy(bytes)) {
      REQUIRE(decode_domain_policy(encode(*domain)) == domain);
    }
    if (const auto gateway = decode_gateway_policy(bytes)) {
      REQUIRE(decode_gateway_policy(encode(*gateway)) == gateway);
    }
  }
}

}  // namespace
}  // namespace mxfeed
