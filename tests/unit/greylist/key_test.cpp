// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/key.h"

#include <set>

#include "tests/support/catch.h"

namespace mxfeed::greylist {
namespace {

const Recipient kRecipient{"Info", "acme.example"};

TEST_CASE("senders are keyed without what changes from mail to mail", "[greylist]") {
  struct Case {
    const char* name;
    const char* sender;
    const char* keyed;
  };
  const Case cases[] = {
      {"null sender", "", ""},
      {"plain", "John.Doe@Sender.Example", "john.doe@sender.example"},
      {"BATV", "prvs=0123456789=jane@s.example", "jane@s.example"},
      {"BATV, another tag", "prvs=9998abcdef=jane@s.example", "jane@s.example"},
      {"BATV of another kind", "msprvs1=1789sAbCdE=jane@s.example", "jane@s.example"},
      {"BATV with a doubled sign", "btv1==5f3a==jane@s.example", "jane@s.example"},
      {"BATV, cut", "prvs=0123456789@s.example", "prvs=#@s.example"},
      {"only the tag goes, not all up to the last sign", "a=x@s.example",
       "a=x@s.example"},
      {"SRS0", "SRS0=AbCd=XY=org.example=jane@fwd.example",
       "srs#=org.example=jane@fwd.example"},
      {"SRS0, another separator", "SRS0+zzzz=QQ=org.example=jane@fwd.example",
       "srs#=org.example=jane@fwd.example"},
      {"SRS1", "SRS1=HHHH=one.example==AbCd=XY=org.example=jane@fwd.example",
       "srs#=one.example=org.example=jane@fwd.example"},
      {"SRS0, cut", "SRS0=AbCd@fwd.example", "srs#=abcd@fwd.example"},
      {"extension", "jane+tag77@s.example", "jane@s.example"},
      {"extension first", "+tag@s.example", "+tag@s.example"},
      {"VERP with the recipient", "bounces-info=acme.example@l.example",
       "bounces-#@l.example"},
      {"VERP with another recipient", "bounces-you=acme.example@l.example",
       "bounces-you=acme.example@l.example"},
      {"number", "bounce-12345-7@l.example", "bounce-#-#@l.example"},
      {"digits in a word", "web12server3@s.example", "#@s.example"},
      {"few digits in a short word", "srv3a@s.example", "srv#a@s.example"},
      {"hexadecimal", "b.4f6ab31c.x@s.example", "b.#.x@s.example"},
      {"UUID", "0b7c7f5e-abcd-efab-cdef-abcdefabcdef@s.example", "#@s.example"},
      {"number and UUID",
       "0100018c5f3e5b1a-0b7c7f5e-abcd-efab-cdef-abcdefabcdef-000000@x.example",
       "#-#-#@x.example"},
      {"random letters and digits", "r-k3j9x0qpz7@s.example", "r-#@s.example"},
      {"a word of letters only stays", "deadbeef@s.example", "deadbeef@s.example"},
      {"digits of the domain stay", "a@s1.example", "a@s1.example"},
      {"no domain", "root", "root"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(normalised_sender(c.sender, kRecipient) == c.keyed);
    }
  }
}

std::string key(const char* client, const char* sender, const Recipient& recipient) {
  return key_of(*IpAddress::parse(client), sender, recipient, recipient.domain,
                GatewayPolicy::Greylist{});
}

TEST_CASE("a key holds the network, the domain and a digest", "[greylist]") {
  const std::string v4 = key("198.51.100.7", "a@s.example", kRecipient);
  CHECK(v4.starts_with("198.51.100.0/24 acme.example "));
  CHECK(v4.size() == 29 + 32);
  CHECK(v4.find("a@s") == std::string::npos);
  CHECK(key("198.51.100.200", "A@S.example", {"info", "acme.example"}) == v4);
  CHECK(key("198.51.101.7", "a@s.example", kRecipient) != v4);
  CHECK(key("198.51.100.7", "b@s.example", kRecipient) != v4);
  CHECK(key("198.51.100.7", "a@s.example", {"sales", "acme.example"}) != v4);
  const std::string v6 = key("2001:db8:0:1::7", "", kRecipient);
  CHECK(v6.starts_with("2001:db8:0:1::/64 acme.example "));
  CHECK(key("2001:db8:0:1:ffff::", "", kRecipient) == v6);
  CHECK(key("2001:db8:0:2::7", "", kRecipient) != v6);
}

TEST_CASE("the prefixes of the gateway are used", "[greylist]") {
  GatewayPolicy::Greylist settings;
  settings.ipv4_prefix = 32;
  settings.ipv6_prefix = 48;
  const auto network = [&](const char* client) {
    const std::string made =
        key_of(*IpAddress::parse(client), "", kRecipient, "acme.example", settings);
    return made.substr(0, made.find(' '));
  };
  CHECK(network("198.51.100.7") == "198.51.100.7/32");
  CHECK(network("2001:db8:1:2::1") == "2001:db8:1::/48");
}

TEST_CASE("no address can make the key of another", "[greylist]") {
  // The same bytes, divided in other places.
  std::set<std::string> keys;
  keys.insert(key("192.0.2.1", "a", {"bc", "d.example"}));
  keys.insert(key("192.0.2.1", "ab", {"c", "d.example"}));
  keys.insert(key("192.0.2.1", "a:b", {"c", "d.example"}));
  keys.insert(key("192.0.2.1", "a", {"b:c", "d.example"}));
  keys.insert(key("192.0.2.1", "", {"abc", "d.example"}));
  keys.insert(key("192.0.2.1", "a c", {"b", "d.example"}));
  CHECK(keys.size() == 6);
}

}  // namespace
}  // namespace mxfeed::greylist
