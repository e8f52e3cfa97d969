// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/settings.h"

#include <algorithm>

#include "postfix-conf/postfix/open_relay.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using Strings = std::vector<std::string>;

TEST_CASE("a list is divided as Postfix divides it", "[postfix]") {
  CHECK(list_items("a, b\tc,,d") == std::vector<std::string_view>{"a", "b", "c", "d"});
  CHECK(list_items("{ a, b } c") == std::vector<std::string_view>{"{ a, b }", "c"});
  CHECK(list_items(" , ").empty());
  CHECK(list_items("{ a").size() == 1);
}

TEST_CASE("a milter is its endpoint and what happens without it", "[postfix]") {
  const auto found =
      milters_in("unix:a, { unix:b, default_action=accept, x=1 } inet:c:1");
  REQUIRE(found.size() == 3);
  CHECK(found[0].endpoint == "unix:a");
  CHECK(found[0].default_action.empty());
  CHECK(found[1].endpoint == "unix:b");
  CHECK(found[1].default_action == "accept");
  CHECK(found[2].endpoint == "inet:c:1");
}

struct ServiceCase {
  const char* name;
  const char* command;
  bool port_25;
  bool others;
  bool strangers;
};

const ServiceCase kServices[] = {
    {"smtp/inet", "smtpd", true, true, true},
    {"25/inet", "smtpd", true, true, true},
    {"192.0.2.1:25/inet", "smtpd", true, true, true},
    {"[2001:db8::1]:smtp/inet", "smtpd", true, true, true},
    {"smtp/inet", "postscreen", false, false, false},
    {"smtpd/pass", "smtpd", true, true, true},
    {"submission/inet", "smtpd", false, true, false},
    {"127.0.0.1:10025/inet", "smtpd", false, false, false},
    {"127.0.0.1:25/inet", "smtpd", true, false, false},
    {"[::1]:10025/inet", "smtpd", false, false, false},
    {"cleanup/unix", "cleanup", false, false, false},
    {"smtp/unix", "smtp", false, false, false},
};

TEST_CASE("which services strangers come to", "[postfix]") {
  for (const auto& c : kServices) {
    DYNAMIC_SECTION(c.name << " " << c.command) {
      const PostfixService service{c.name, c.command, {}};
      CHECK(service.serves_port_25() == c.port_25);
      CHECK(service.serves_others() == c.others);
      CHECK(service.serves_strangers() == c.strangers);
    }
  }
}

struct RelayCase {
  const char* name;
  Parameters main;
  Parameters options;  // of smtp/inet
  bool open;
};

constexpr const char* kUsual = "permit_mynetworks, reject_unauth_destination";

const RelayCase kRelays[] = {
    {"as Postfix comes", {{"smtpd_relay_restrictions", kUsual}}, {}, false},
    {"deferred", {{"smtpd_relay_restrictions", "defer_unauth_destination"}}, {}, false},
    {"everybody in mynetworks",
     {{"smtpd_relay_restrictions", kUsual}, {"mynetworks", "127.0.0.0/8 0.0.0.0/0"}},
     {},
     true},
    {"everybody of IPv6",
     {{"smtpd_relay_restrictions", kUsual}, {"mynetworks", "[::]/0"}},
     {},
     true},
    {"half of everybody",
     {{"smtpd_relay_restrictions", kUsual}, {"mynetworks", "128.0.0.0/1"}},
     {},
     true},
    {"a table that has everybody",
     {{"smtpd_relay_restrictions", kUsual}, {"mynetworks", "static:all"}},
     {},
     true},
    {"networks of a provider",
     {{"smtpd_relay_restrictions", kUsual},
      {"mynetworks",
       "10.0.0.0/8, 203.0.113.0/24 [2001:db8::]/32 [fe80::]/10 [fc00::]/7"}},
     {},
     false},
    {"everybody, who is not permitted",
     {{"smtpd_relay_restrictions", "reject_unauth_destination"},
      {"mynetworks", "0.0.0.0/0"}},
     {},
     false},
    {"permit before the refusal",
     {{"smtpd_relay_restrictions", "permit, reject_unauth_destination"}},
     {},
     true},
    {"permit behind the refusal",
     {{"smtpd_relay_restrictions", "reject_unauth_destination, permit"}},
     {},
     false},
    {"permitted here, refused there",
     {{"smtpd_relay_restrictions", "permit"},
      {"smtpd_recipient_restrictions", "reject_unauth_destination"}},
     {},
     false},
    {"permitted in both",
     {{"smtpd_relay_restrictions", ""}, {"smtpd_recipient_restrictions", "permit"}},
     {},
     true},
    {"a table that says OK",
     {{"smtpd_relay_restrictions",
       "check_client_access static:OK, reject_unauth_destination"}},
     {},
     true},
    {"a table that says no",
     {{"smtpd_relay_restrictions", "check_client_access static:reject, reject"}},
     {},
     false},
    {"the service permits",
     {{"smtpd_relay_restrictions", kUsual}},
     {{"smtpd_relay_restrictions", "permit"}},
     true},
    {"the service knows everybody",
     {{"smtpd_relay_restrictions", kUsual}},
     {{"mynetworks", "0.0.0.0/0"}},
     true},
    {"every domain is ours",
     {{"smtpd_relay_restrictions", kUsual}, {"relay_domains", "static:ok"}},
     {},
     true},
};

TEST_CASE("an open relay is found by its parameters", "[postfix]") {
  for (const auto& c : kRelays) {
    DYNAMIC_SECTION(c.name) {
      PostfixSettings settings;
      settings.config = "/p";
      settings.main = c.main;
      settings.services = {
          {"smtp/inet", "smtpd", c.options},
          {"127.0.0.1:10025/inet", "smtpd", {{"smtpd_relay_restrictions", "permit"}}}};
      CHECK(open_relays(settings).size() == (c.open ? 1u : 0u));
    }
  }
}

}  // namespace
}  // namespace mxfeed
