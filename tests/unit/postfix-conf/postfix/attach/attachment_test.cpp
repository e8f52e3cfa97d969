// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/attachment.h"

#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/postfix/attach/site.h"

namespace mxfeed {
namespace {

using Strings = std::vector<std::string>;

// Attached.
Survey attached() {
  Survey survey;
  survey.site.settings = test::site();
  survey.files = plan_attach(test::files(), test::site(), test::needs()).last;
  survey.now = test::site();
  survey.now.main["relay_domains"] += ", cdb:/s/current-postfix/relay_domains";
  survey.now.services[0].options = {{"smtpd_milters", test::kMilters}};
  return survey;
}

TEST_CASE("a Postfix that is as needed has nothing dangerous", "[attach]") {
  const auto found = examine(attached(), test::needs());
  CHECK(found.accepts_mail());
  CHECK(found.findings.empty());
  CHECK(found.differing.empty());
  CHECK(to_string(found) == "attached");
}

struct DangerCase {
  const char* name;
  void (*change)(Survey& survey, PostfixNeeds& needs);
  Danger danger;
  const char* text;  // how the finding begins; empty: there is none of that kind
};

const DangerCase kDangers[] = {
    {"a service without milters",
     [](Survey& s, PostfixNeeds&) { s.now.services[0].options["smtpd_milters"] = ""; },
     Danger::unscanned, "/p/master.cf: smtp/inet: -o smtpd_milters=: mail bypasses"},
    {"a service that was added",
     [](Survey& s, PostfixNeeds&) {
       s.now.services.push_back({"192.0.2.1:25/inet", "smtpd", {}});
     },
     Danger::unscanned, "/p/main.cf: smtpd_milters=inet:localhost:8891: mail bypasses"},
    {"other milters only",
     [](Survey& s, PostfixNeeds&) {
       s.now.services[0].options["smtpd_milters"] = "unix:opendkim.sock";
     },
     Danger::unscanned,
     "/p/master.cf: smtp/inet: -o smtpd_milters=unix:opendkim.sock: mail bypasses"},
    {"submission without milters",
     [](Survey& s, PostfixNeeds&) { s.now.services[1].options["smtpd_milters"] = ""; },
     Danger::unscanned, ""},
    {"the scanner is optional",
     [](Survey& s, PostfixNeeds&) {
       s.now.services[0].options["smtpd_milters"] =
           "{ unix:mxfeed/virus.sock, default_action=accept }";
     },
     Danger::unscanned,
     "/p/master.cf: smtp/inet: -o smtpd_milters: unix:mxfeed/virus.sock: default_action"},
    {"the scanner is optional by the default of all",
     [](Survey& s, PostfixNeeds&) {
       s.now.services[0].options["smtpd_milters"] = "unix:mxfeed/virus.sock";
       s.now.main["milter_default_action"] = "accept";
     },
     Danger::unscanned,
     "/p/master.cf: smtp/inet: -o smtpd_milters: unix:mxfeed/virus.sock: default_action"},
    {"a milter of the site that is optional and named alike",
     [](Survey& s, PostfixNeeds& n) {
       const std::string all = std::string(
                                   "{ unix:x/mxfeed/virus.sock, "
                                   "default_action=accept }, ") +
                               test::kMilters;
       n.main_cf[2].second = all;
       s.now.services[0].options["smtpd_milters"] = all;
     },
     Danger::unscanned, ""},
    {"some clients without milters",
     [](Survey& s, PostfixNeeds&) {
       s.site.settings.main["smtpd_milter_maps"] = "cidr:/x";
     },
     Danger::unscanned, "/p/main.cf: smtpd_milter_maps: cidr:/x: clients that it names"},
    {"an open relay",
     [](Survey& s, PostfixNeeds&) { s.site.settings.main["mynetworks"] = "0.0.0.0/0"; },
     Danger::open_relay, "/p/master.cf: smtp/inet: mynetworks=0.0.0.0/0 lets"},
    {"a map type that is missing",
     [](Survey& s, PostfixNeeds&) { s.site.settings.map_types = {"hash"}; },
     Danger::unsupported_map, "cdb: Postfix does not support it"},
    {"a milter that the site added",
     [](Survey& s, PostfixNeeds&) {
       s.site.settings.main["smtpd_milters"] += ", inet:localhost:8893";
     },
     Danger::differs, "/p/main.cf: smtpd_milters: inet:localhost:8893: looks like"},
    {"networks that apply has not compiled",
     [](Survey& s, PostfixNeeds&) {
       s.site.reading.site.mynetworks = {*Network::parse("192.0.2.0/24")};
     },
     Danger::differs, "/p/main.cf: mynetworks has changed: run mxfeed apply"},
    {"relay_recipient_maps that was set meanwhile",
     [](Survey& s, PostfixNeeds&) { s.site.reading.site.has_relay_recipients = true; },
     Danger::differs, "/p/main.cf: relay_recipient_maps has changed: run mxfeed apply"},
    {"names below domains that are taken now",
     [](Survey& s, PostfixNeeds&) { s.site.reading.site.parents_match = true; },
     Danger::differs, "/p/main.cf: parent_domain_matches_subdomains has changed"},
};

TEST_CASE("what is dangerous about a Postfix is found", "[attach]") {
  for (const auto& c : kDangers) {
    DYNAMIC_SECTION(c.name) {
      Survey survey = attached();
      PostfixNeeds needs = test::needs();
      c.change(survey, needs);
      const auto found = examine(survey, needs);
      CHECK(found.accepts_mail());
      Strings said;
      for (const auto& finding : found.findings) {
        if (finding.danger == c.danger) said.push_back(finding.text);
      }
      if (*c.text == '\0') {
        CHECK(said == Strings());
      } else {
        REQUIRE(said.size() == 1);
        CHECK(said[0].substr(0, std::string_view(c.text).size()) == c.text);
      }
    }
  }
}

TEST_CASE("parameters and services that differ are named", "[attach]") {
  Survey survey = attached();
  PostfixNeeds needs = test::needs();
  needs.main_cf[1].second = "cdb:/t/current-postfix/transport";
  needs.master_cf.pop_back();
  const auto found = examine(survey, needs);
  CHECK(found.differing ==
        Strings{"main.cf: transport_maps", "master.cf: mxfeed-soft/unix"});
  CHECK(to_string(found) == "drifted");
}

TEST_CASE("a milter that the site has removed is drift, and goes", "[attach]") {
  Survey survey = attached();
  survey.site.settings.main["smtpd_milters"] = "";
  CHECK(examine(survey, test::needs()).differing ==
        Strings{"main.cf: mxfeed_smtpd_milters"});
  const auto plan = plan_attach(survey.files, survey.site.settings, test::needs());
  REQUIRE(plan.changes.size() == 1);
  CHECK(plan.changes[0].after ==
        "{ unix:mxfeed/greylist.sock, default_action=accept }, "
        "{ unix:mxfeed/virus.sock, default_action=tempfail }");
  CHECK(absent_milters(survey.site.settings, test::needs()) ==
        Strings{"inet:localhost:8891"});
  // Another service with filters still has it, with other options.
  survey.site.settings.services.push_back(
      {"192.0.2.1:25/inet",
       "smtpd",
       {{"smtpd_milters", "{ inet:localhost:8891, default_action=accept }"}}});
  CHECK(absent_milters(survey.site.settings, test::needs()).empty());
  // One without filters does not count.
  survey.site.settings.services.back().name = "127.0.0.1:25/inet";
  CHECK(absent_milters(survey.site.settings, test::needs()).size() == 1);
  // Where there is no other use, the configuration decides.
  PostfixNeeds dedicated = test::needs();
  dedicated.use.dedicated = true;
  CHECK(absent_milters(survey.site.settings, dedicated).empty());
}

TEST_CASE("a Postfix without our map takes no mail for our domains", "[attach]") {
  Survey survey = attached();
  survey.files = test::files();
  CHECK_FALSE(examine(survey, test::needs()).accepts_mail());
  CHECK(to_string(examine(survey, test::needs())) == "detached");
  survey.files = plan_attach(test::files(), test::site(), test::needs()).first;
  CHECK(to_string(examine(survey, test::needs())) == "partly attached");
  const auto routes = plan_detach(
      plan_attach(test::files(), test::site(), test::needs()).last, Routes::keep);
  survey.files = routes.last;
  CHECK(to_string(examine(survey, test::needs())) == "detaching");
}

TEST_CASE("without a generation an open relay is looked for", "[attach]") {
  Survey survey = attached();
  survey.now.main["mynetworks"] = "0.0.0.0/0";
  const auto found = examine(survey, {});
  REQUIRE(found.findings.size() == 1);
  CHECK(found.findings[0].danger == Danger::open_relay);
}

}  // namespace
}  // namespace mxfeed
