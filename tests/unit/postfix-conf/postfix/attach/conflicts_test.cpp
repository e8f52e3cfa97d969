// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/conflicts.h"

#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/postfix/attach/site.h"

namespace mxfeed {
namespace {

using Strings = std::vector<std::string>;

SiteView view() {
  SiteView site;
  site.settings = test::site();
  return site;
}

TEST_CASE("a Postfix whose milters are named has no conflict", "[attach]") {
  CHECK(find_conflicts(view(), test::needs()).empty());
  CHECK(find_conflicts(view(), test::dedicated_needs()).empty());
}

struct ConflictCase {
  const char* name;
  void (*change)(SiteView& site, PostfixNeeds& needs);
  Trouble trouble;
  const char* text;  // what the conflict has; empty: there is none
};

const ConflictCase kConflicts[] = {
    {"no cdb", [](SiteView& s, PostfixNeeds&) { s.settings.map_types = {"hash"}; },
     Trouble::map_type, "cdb: Postfix does not support it: install the package"},
    {"the same domain in a table",
     [](SiteView& s, PostfixNeeds&) {
       s.same = {{"transport_maps", "hash:/t", {"a.example", "b.example"}, 7, ""}};
     },
     Trouble::same_domain,
     "/p/main.cf: transport_maps: hash:/t has a.example, b.example and 5 more: remove"},
    {"a table that cannot be looked into",
     [](SiteView& s, PostfixNeeds&) {
       s.same = {{"transport_maps", "mysql:/t", {}, 0, "run postmap: status 1"}};
     },
     Trouble::same_domain, "mysql:/t: run postmap: status 1"},
    {"a proxy before the queue",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.services[0].options["smtpd_proxy_filter"] = "localhost:10024";
     },
     Trouble::proxy_filter,
     "/p/master.cf: smtp/inet: -o smtpd_proxy_filter: localhost:10024: milters do not"},
    {"a proxy of main.cf",
     [](SiteView& s, PostfixNeeds&) { s.settings.main["smtpd_proxy_filter"] = "x:1"; },
     Trouble::proxy_filter, "/p/main.cf: smtpd_proxy_filter: x:1"},
    {"a proxy of submission only",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.services[1].options["smtpd_proxy_filter"] = "localhost:10024";
     },
     Trouble::proxy_filter, ""},
    {"clients without milters",
     [](SiteView& s, PostfixNeeds&) { s.settings.main["smtpd_milter_maps"] = "cidr:/x"; },
     Trouble::milters_disabled, "/p/main.cf: smtpd_milter_maps: cidr:/x: clients"},
    {"milters switched off",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.services[0].options["receive_override_options"] =
           "no_address_mappings,no_milters";
     },
     Trouble::milters_disabled, "smtp/inet: -o receive_override_options: "},
    {"milters switched off where mail comes back",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.services[2].options["receive_override_options"] = "no_milters";
     },
     Trouble::milters_disabled, ""},
    {"an open relay",
     [](SiteView& s, PostfixNeeds&) { s.settings.main["mynetworks"] = "0.0.0.0/0"; },
     Trouble::open_relay, "mynetworks=0.0.0.0/0 lets everybody relay"},
    {"everybody in a table",
     [](SiteView& s, PostfixNeeds&) {
       s.reading.site.mynetworks = {*Network::parse("127.0.0.0/8"),
                                    *Network::parse("0.0.0.0/0")};
     },
     Trouble::open_relay, "/p/main.cf: mynetworks: 0.0.0.0/0 lets everybody relay"},
    {"large networks of nobody else",
     [](SiteView& s, PostfixNeeds&) {
       s.reading.site.mynetworks = {*Network::parse("10.0.0.0/8"),
                                    *Network::parse("fc00::/7"),
                                    *Network::parse("2001:db8::/16")};
     },
     Trouble::open_relay, ""},
    {"networks in a table",
     [](SiteView& s, PostfixNeeds&) {
       s.reading.uncompiled = {"hash:/n: cannot be compiled"};
     },
     Trouble::mynetworks, "/p/main.cf: mynetworks: hash:/n: cannot be compiled: write"},
    {"two services with other networks",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.services.push_back(
           {"192.0.2.1:25/inet", "smtpd", {{"mynetworks", "192.0.2.0/24"}}});
     },
     Trouble::mynetworks,
     "/p/master.cf: 192.0.2.1:25/inet: -o mynetworks: 192.0.2.0/24: smtp/inet has other"},
    {"two services with the same networks",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.main["mynetworks"] = "127.0.0.0/8 192.0.2.0/24";
       s.settings.services.push_back(
           {"192.0.2.1:25/inet", "smtpd", {{"mynetworks", "192.0.2.0/24, 127.0.0.0/8"}}});
     },
     Trouble::mynetworks, ""},
    {"other networks where no filter is",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.services[1].options["mynetworks"] = "192.0.2.0/24";
     },
     Trouble::mynetworks, ""},
    {"a larger max_size",
     [](SiteView&, PostfixNeeds& n) {
       n.use.largest_message = 20'000'000;
       n.use.largest_of = "a.example";
     },
     Trouble::message_size,
     "/p/main.cf: message_size_limit: 10240000: max_size of a.example is 20000000"},
    {"a larger max_size, without a limit",
     [](SiteView& s, PostfixNeeds& n) {
       n.use.largest_message = 20'000'000;
       s.settings.main["message_size_limit"] = "0";
     },
     Trouble::message_size, ""},
    {"a larger max_size on a dedicated Postfix",
     [](SiteView&, PostfixNeeds& n) {
       n = test::dedicated_needs();
       n.use.largest_message = 20'000'000;
     },
     Trouble::message_size, ""},
    {"no service of port 25",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.services.erase(s.settings.services.begin());
     },
     Trouble::no_service, "/p/master.cf: no smtpd(8) of port 25"},
    {"a service that is not there",
     [](SiteView&, PostfixNeeds& n) { n.use.services = {"2525/inet"}; },
     Trouble::no_service, "/p/master.cf: none of the services 2525/inet"},
    {"a service of port 25 that is not named",
     [](SiteView& s, PostfixNeeds& n) {
       n.use.services = {"2525/inet"};
       auto other = s.settings.services[0];
       other.name = "2525/inet";
       s.settings.services.push_back(other);
     },
     Trouble::milters_disabled, "/p/master.cf: smtp/inet: mail bypasses the filters"},
    {"another port that takes mail of strangers",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.services.push_back({"2525/inet", "smtpd", {}});
     },
     Trouble::milters_disabled,
     "/p/master.cf: 2525/inet: mail bypasses the filters: clients need neither log in "
     "nor "
     "be in mynetworks: let its smtpd_relay_restrictions end with reject, or name it in "
     "[postfix] of mxfeed.toml: services = [\"smtp/inet\", \"2525/inet\"]"},
    {"another port that gets the filters",
     [](SiteView& s, PostfixNeeds& n) {
       s.settings.services.push_back({"2525/inet", "smtpd", {}});
       n.use.services = {"smtp/inet", "2525/inet"};
     },
     Trouble::milters_disabled, ""},
    {"a milter that is not named",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.main["smtpd_milters"] = "inet:localhost:8891, unix:rspamd/rspamd.sock";
     },
     Trouble::unknown_milter,
     "/p/main.cf: smtpd_milters: unix:rspamd/rspamd.sock: looks like rspamd: in "
     "[postfix] "
     "of mxfeed.toml: verifiers = [\"unix:rspamd/rspamd.sock\"]"},
    {"a milter with options",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.services[0].options["smtpd_milters"] =
           "{ inet:localhost:8893, default_action=accept }";
     },
     Trouble::unknown_milter,
     "smtp/inet: -o smtpd_milters: inet:localhost:8893: looks like opendmarc, which "
     "verifies: in [postfix] of mxfeed.toml: verifiers = [\"{ inet:localhost:8893, "
     "default_action=accept }\"]"},
    {"a milter that nobody knows",
     [](SiteView& s, PostfixNeeds&) { s.settings.main["smtpd_milters"] = "unix:x"; },
     Trouble::unknown_milter, "unix:x: an unknown milter"},
    {"a milter of submission",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.services[1].options["smtpd_milters"] = "unix:x";
     },
     Trouble::unknown_milter, ""},
    {"our filters, added by hand",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.main["smtpd_milters"] = "unix:mxfeed/virus.sock";
     },
     Trouble::unknown_milter, "unix:mxfeed/virus.sock: added by hand"},
    {"a list of its own",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.services[0].options["relay_domains"] = "x.example";
     },
     Trouble::overridden, "/p/master.cf: smtp/inet: -o relay_domains: x.example"},
    {"names below domains could not be refused",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.main["parent_domain_matches_subdomains"] =
           "relay_domains, transport_maps";
     },
     Trouble::subdomains_routed, "/p/main.cf: parent_domain_matches_subdomains: has"},
    {"names below domains can be refused",
     [](SiteView& s, PostfixNeeds&) {
       s.settings.main["parent_domain_matches_subdomains"] = "relay_domains";
     },
     Trouble::subdomains_routed, ""},
    {"the port of the quarantine host is that of another service",
     [](SiteView& s, PostfixNeeds& n) {
       n.master_cf.emplace_back(test::kIntake);
       s.settings.services.push_back({"192.0.2.1:2424/inet", "spawn", {}});
     },
     Trouble::port_taken, "/p/master.cf: 192.0.2.1:2424/inet: has the port 2424, where"},
    {"the port of the quarantine host is free",
     [](SiteView& s, PostfixNeeds& n) {
       n.master_cf.emplace_back(test::kIntake);
       s.settings.services.push_back({"12424/inet", "smtpd", {}});
       s.settings.services.push_back({"2424/unix", "smtpd", {}});
     },
     Trouble::port_taken, ""},
};

TEST_CASE("what the postmaster must decide is a conflict", "[attach]") {
  for (const auto& c : kConflicts) {
    DYNAMIC_SECTION(c.name) {
      SiteView site = view();
      PostfixNeeds needs = test::needs();
      c.change(site, needs);
      Strings said;
      for (const auto& conflict : find_conflicts(site, needs)) {
        if (conflict.trouble == c.trouble) said.push_back(conflict.str());
      }
      if (*c.text == '\0') {
        CHECK(said == Strings());
      } else {
        REQUIRE(said.size() == 1);
        CAPTURE(said[0]);
        CHECK(said[0].find(c.text) != std::string::npos);
      }
    }
  }
}

}  // namespace
}  // namespace mxfeed
