// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attachment.h"

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
};

const ServiceCase kServices[] = {
    {"smtp/inet", "smtpd", true, true},
    {"25/inet", "smtpd", true, true},
    {"192.0.2.1:25/inet", "smtpd", true, true},
    {"[2001:db8::1]:smtp/inet", "smtpd", true, true},
    {"smtp/inet", "postscreen", false, false},
    {"smtpd/pass", "smtpd", true, true},
    {"submission/inet", "smtpd", false, true},
    {"127.0.0.1:10025/inet", "smtpd", false, false},
    {"[::1]:10025/inet", "smtpd", false, false},
    {"cleanup/unix", "cleanup", false, false},
    {"smtp/unix", "smtp", false, false},
};

TEST_CASE("which services strangers come to", "[postfix]") {
  for (const auto& c : kServices) {
    DYNAMIC_SECTION(c.name << " " << c.command) {
      const PostfixService service{c.name, c.command, {}};
      CHECK(service.serves_port_25() == c.port_25);
      CHECK(service.serves_others() == c.others);
    }
  }
}

// A dedicated Postfix, attached.
const PostfixNeeds kNeeds = {
    {{"relay_domains", "cdb:/s/relay_domains"},
     {"smtpd_relay_restrictions", "permit_mynetworks, reject_unauth_destination"},
     {"smtpd_milters",
      "{ unix:mxfeed/greylist.sock, default_action=accept }, "
      "{ unix:mxfeed/virus.sock, default_action=tempfail }"}},
    {"relaysoft unix - - y - - smtp"}};

PostfixSettings attached() {
  PostfixSettings settings;
  settings.config = "/p";
  for (const auto& [name, value] : kNeeds.main_cf)
    settings.main[name] = normalised(value);
  settings.main["mynetworks"] = "127.0.0.0/8";
  settings.services = {{"smtp/inet", "smtpd", {}}, {"relaysoft/unix", "smtp", {}}};
  settings.map_types = {"cdb", "hash"};
  return settings;
}

Strings texts(const Attachment& attachment, Danger danger) {
  Strings found;
  for (const auto& finding : attachment.findings) {
    if (finding.danger == danger) found.push_back(finding.text);
  }
  return found;
}

TEST_CASE("a Postfix that is as needed has nothing dangerous", "[postfix]") {
  const auto found = examine(attached(), kNeeds);
  CHECK(found.takes_mail);
  CHECK(found.findings.empty());
  CHECK(found.differing.empty());
}

struct DangerCase {
  const char* name;
  void (*change)(PostfixSettings& settings);
  Danger danger;
  const char* text;  // how the finding begins; empty: there is none of that kind
};

const DangerCase kDangers[] = {
    {"no milters", [](PostfixSettings& s) { s.main["smtpd_milters"] = ""; },
     Danger::unscanned, "/p/main.cf: smtpd_milters=: mail bypasses the filters"},
    {"other milters only",
     [](PostfixSettings& s) { s.main["smtpd_milters"] = "unix:opendkim.sock"; },
     Danger::unscanned, "/p/main.cf: smtpd_milters=unix:opendkim.sock: mail bypasses"},
    {"other milters beside ours",
     [](PostfixSettings& s) { s.main["smtpd_milters"] += ", unix:opendkim.sock"; },
     Danger::unscanned, ""},
    {"a service without milters",
     [](PostfixSettings& s) { s.services[0].options["smtpd_milters"] = ""; },
     Danger::unscanned, "/p/master.cf: smtp/inet: -o smtpd_milters=: mail bypasses"},
    {"milters of the service though main.cf has none",
     [](PostfixSettings& s) {
       s.services[0].options["smtpd_milters"] = s.main["smtpd_milters"];
       s.main["smtpd_milters"] = "";
     },
     Danger::unscanned, ""},
    {"postscreen, and milters behind it",
     [](PostfixSettings& s) {
       s.services[0].command = "postscreen";
       s.services.push_back({"smtpd/pass", "smtpd", {{"smtpd_milters", ""}}});
     },
     Danger::unscanned, "/p/master.cf: smtpd/pass: -o smtpd_milters=: mail bypasses"},
    {"submission without milters",
     [](PostfixSettings& s) {
       s.services.push_back({"submission/inet", "smtpd", {{"smtpd_milters", ""}}});
     },
     Danger::unscanned, ""},
    {"the scanner is optional",
     [](PostfixSettings& s) {
       s.main["smtpd_milters"] = "{ unix:mxfeed/virus.sock, default_action=accept }";
     },
     Danger::unscanned,
     "/p/main.cf: smtpd_milters: unix:mxfeed/virus.sock: default_action"},
    {"the scanner is optional by the default of all",
     [](PostfixSettings& s) {
       s.main["smtpd_milters"] = "unix:mxfeed/virus.sock";
       s.main["milter_default_action"] = "accept";
     },
     Danger::unscanned,
     "/p/main.cf: smtpd_milters: unix:mxfeed/virus.sock: default_action"},
    {"some clients without milters",
     [](PostfixSettings& s) { s.main["smtpd_milter_maps"] = "cidr:/x"; },
     Danger::unscanned, "/p/main.cf: smtpd_milter_maps=cidr:/x: clients that it names"},
    {"milters switched off",
     [](PostfixSettings& s) { s.main["receive_override_options"] = "no_milters"; },
     Danger::unscanned, "/p/main.cf: receive_override_options=no_milters: mail bypasses"},
    {"a map type that is missing", [](PostfixSettings& s) { s.map_types = {"hash"}; },
     Danger::unsupported_map, "cdb: install the package postfix-cdb"},
    {"restrictions of the service",
     [](PostfixSettings& s) {
       s.services[0].options["smtpd_relay_restrictions"] = "reject";
     },
     Danger::differs,
     "/p/master.cf: smtp/inet: -o smtpd_relay_restrictions=reject: relaying is not"},
};

TEST_CASE("what is dangerous about a Postfix is found", "[postfix]") {
  for (const auto& c : kDangers) {
    DYNAMIC_SECTION(c.name) {
      PostfixSettings settings = attached();
      c.change(settings);
      const auto found = examine(settings, kNeeds);
      CHECK(found.takes_mail);
      const auto said = texts(found, c.danger);
      if (*c.text == '\0') {
        CHECK(said == Strings());
      } else {
        REQUIRE(said.size() == 1);
        CHECK(said[0].substr(0, std::string_view(c.text).size()) == c.text);
      }
    }
  }
}

TEST_CASE("parameters and services that differ are named", "[postfix]") {
  PostfixSettings settings = attached();
  settings.main["smtpd_relay_restrictions"] = "reject";
  settings.main["smtpd_milters"] += ", unix:opendkim.sock";
  settings.main["relay_domains"] = "hash:/etc/postfix/relay, cdb:/s/relay_domains";
  settings.services.pop_back();
  const auto found = examine(settings, kNeeds);
  CHECK(found.differing ==
        Strings{"smtpd_relay_restrictions", "relaysoft/unix (master.cf)"});
}

TEST_CASE("a Postfix without our map takes no mail for our domains", "[postfix]") {
  PostfixSettings settings = attached();
  settings.main["relay_domains"] = "hash:/etc/postfix/relay";
  CHECK_FALSE(examine(settings, kNeeds).takes_mail);
  settings.main["relay_domains"] = "hash:/etc/postfix/relay,cdb:/s/relay_domains";
  CHECK(examine(settings, kNeeds).takes_mail);
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
