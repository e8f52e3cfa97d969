// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/recipient_access.h"

#include <string>
#include <vector>

#include "common/mail/held_address.h"
#include "postfix-conf/generate/next_hops.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct Domain {
  std::string name;
  std::string what;  // words: suspended gone listed subdomains blocklist callout
                     // callout-defer refused taught
};

Generated generated(const std::vector<Domain>& domains) {
  Generated all;
  all.policies.resize(1);
  for (const auto& domain : domains) {
    const auto has = [&](std::string_view word) {
      return domain.what.find(word) != std::string::npos;
    };
    Hosted one;
    one.name = domain.name;
    if (has("gone")) one.own = Row::kept;
    if (has("refused")) one.own = Row::refused;
    if (has("subdomains")) one.below = one.own;
    if (has("suspended")) one.intake = Intake::suspended;
    if (has("gone")) one.intake = Intake::gone;
    one.blocklist = has("blocklist");
    one.callout = has("callout");
    if (has("callout-defer")) one.while_down = WhileDown::defer;
    if (has("listed")) all.recipients[domain.name] = {"info", "postmaster", "sales+x"};
    if (has("taught")) {
      one.policy = 1;
      all.policies.resize(2);
      all.policies[1].teaching = {{"info", "old"}, "is-spam", "not-spam", "", {}};
    }
    all.hosted.push_back(std::move(one));
  }
  return all;
}

struct Row {
  const char* name;
  std::vector<Domain> domains;
  std::vector<std::string> want;  // "key: first word of the value"
};

const Row kRows[] = {
    {"nothing special", {{"a.b", ""}, {"c.b", "subdomains"}}, {}},
    {"suspended", {{"a.b", "suspended"}}, {"a.b: 450"}},
    {"suspended with names below it",
     {{"a.b", "suspended subdomains"}},
     {"a.b: 450", ".a.b: 450"}},
    {"gone", {{"a.b", "gone subdomains"}}, {"a.b: 450", ".a.b: 450"}},
    {"gone, and it had a list and block lists",
     {{"a.b", "gone listed blocklist"}},
     {"a.b: 450"}},
    {"suspended, with a list", {{"a.b", "suspended listed"}}, {"a.b: 450"}},
    {"a list",
     {{"a.b", "listed"}},
     {"info@a.b: DUNNO", "postmaster@a.b: DUNNO", "sales+x@a.b: DUNNO",
      "abuse@a.b: DUNNO", "a.b: 550"}},
    {"call-outs", {{"a.b", "callout"}}, {"a.b: mxfeed_callout"}},
    {"call-outs, defer", {{"a.b", "callout-defer"}}, {"a.b: mxfeed_callout_defer"}},
    {"call-outs, also below it",
     {{"a.b", "callout subdomains"}},
     {"a.b: mxfeed_callout", ".a.b: mxfeed_callout"}},
    {"call-outs and block lists",
     {{"a.b", "callout blocklist"}},
     {"a.b: mxfeed_blocklist,"}},
    {"call-outs, suspended", {{"a.b", "callout suspended"}}, {"a.b: 450"}},
    {"below a domain with call-outs",
     {{"a.b", "callout"}, {"x.a.b", ""}},
     {"a.b: mxfeed_callout", "x.a.b: DUNNO"}},
    {"block lists", {{"a.b", "blocklist"}}, {"a.b: mxfeed_blocklist"}},
    {"block lists with names below it",
     {{"a.b", "blocklist subdomains"}},
     {"a.b: mxfeed_blocklist", ".a.b: mxfeed_blocklist"}},
    {"a list and block lists",
     {{"a.b", "listed blocklist"}},
     {"info@a.b: mxfeed_blocklist", "postmaster@a.b: DUNNO",
      "sales+x@a.b: mxfeed_blocklist", "abuse@a.b: DUNNO", "a.b: 550"}},
    {"teaching addresses, any recipient", {{"a.b", "taught"}}, {}},
    {"teaching addresses, a list",
     {{"a.b", "taught listed"}},
     {"postmaster@a.b: DUNNO", "sales+x@a.b: DUNNO", "abuse@a.b: DUNNO",
      "info@a.b: DUNNO", "old@a.b: DUNNO", "is-spam@a.b: DUNNO", "not-spam@a.b: DUNNO",
      "a.b: 550"}},
    {"teaching addresses, call-outs and block lists",
     {{"a.b", "taught callout blocklist"}},
     {"info@a.b: DUNNO", "old@a.b: DUNNO", "is-spam@a.b: DUNNO", "not-spam@a.b: DUNNO",
      "a.b: mxfeed_blocklist,"}},
    {"teaching addresses, suspended", {{"a.b", "taught suspended listed"}}, {"a.b: 450"}},
    {"below one with a row",
     {{"a.b", "suspended"}, {"x.a.b", ""}, {"y.x.a.b", "subdomains"}},
     {"a.b: 450", "x.a.b: DUNNO", "y.x.a.b: DUNNO", ".y.x.a.b: DUNNO"}},
    {"below one with a list",
     {{"a.b", "listed"}, {"x.a.b", ""}},
     {"info@a.b: DUNNO", "postmaster@a.b: DUNNO", "sales+x@a.b: DUNNO",
      "abuse@a.b: DUNNO", "a.b: 550", "x.a.b: DUNNO"}},
    {"below one without", {{"a.b", "subdomains"}, {"x.a.b", ""}}, {}},
    {"refused is answered elsewhere",
     {{"a.b", "suspended subdomains"}, {"x.a.b", "refused"}},
     {"a.b: 450", ".a.b: 450"}},
    {"in both forms of the name",
     {{"xn--bcher-kva.example", "suspended"}},
     {"xn--bcher-kva.example: 450", "b\u00FCcher.example: 450"}},
};

TEST_CASE("new mail is answered before the site's own restrictions", "[postfix-conf]") {
  for (const auto& row : kRows) {
    DYNAMIC_SECTION(row.name) {
      std::vector<std::string> got;
      for (const auto& line : map_lines(kRecipientAccess, generated(row.domains))) {
        if (line.key == kQuarantineDomain) continue;
        got.push_back(line.key + ": " + line.value.substr(0, line.value.find(' ')));
      }
      CHECK(got == row.want);
    }
  }
}

TEST_CASE("nobody may send to the quarantine, whatever the domains are",
          "[postfix-conf]") {
  for (const auto& lines : {map_lines(kRecipientAccess, generated({})),
                            map_lines(kRecipientAccess, generated({{"a.b", ""}}))}) {
    REQUIRE(!lines.empty());
    CHECK(lines.back() ==
          MapLine{"quarantine.mxfeed.invalid", "550 5.1.1 no such recipient"});
  }
}

TEST_CASE("no answer permits", "[postfix-conf]") {
  for (const auto& row : kRows) {
    for (const auto& line : map_lines(kRecipientAccess, generated(row.domains))) {
      INFO(row.name << ": " << line.key << " " << line.value);
      CHECK((line.value == "DUNNO" || line.value.starts_with("mxfeed_") ||
             line.value.starts_with("450 4.") || line.value.starts_with("550 5.")));
    }
  }
}

TEST_CASE("a row that a parent causes is changed with the parent", "[postfix-conf]") {
  const auto before = generated({{"a.b", ""}, {"x.a.b", ""}});
  const auto now = generated({{"a.b", "suspended"}, {"x.a.b", ""}});
  const auto changed = changed_lines(kRecipientAccess, now, before);
  REQUIRE(changed.size() == 2);
  CHECK(changed[1] == MapLine{"x.a.b", "DUNNO"});
  const auto back = changed_lines(kRecipientAccess, before, now);
  REQUIRE(back.size() == 2);
  CHECK(back[1] == MapLine{"x.a.b", ""});
}

TEST_CASE("many recipients are compared in a short time", "[postfix-conf]") {
  auto before = generated({{"a.b", "listed"}});
  for (int i = 0; i < 100'000; ++i) before.recipients["a.b"].push_back(std::to_string(i));
  auto now = before;
  now.recipients["a.b"].pop_back();
  CHECK(changed_lines(kRecipientAccess, now, before) ==
        std::vector<MapLine>{{"99999@a.b", ""}});
}

TEST_CASE("servers that domains share are there once", "[postfix-conf]") {
  auto all = generated({{"a.b", ""}, {"c.b", ""}, {"gone.b", "gone"}});
  all.hosted[0].route = "[192.0.2.7]:25, [2001:db8::7]:2525";
  all.hosted[0].tls = "encrypt";
  all.hosted[1].route = "[192.0.2.7]:25, [192.0.2.9]:25";
  all.hosted[2].route = "[192.0.2.10]:25";
  all.hosted[2].tls = "encrypt";
  CHECK(map_lines(kTlsPolicy, all) ==
        std::vector<MapLine>{{"[192.0.2.7]:25", "encrypt"},
                             {"[2001:db8::7]:2525", "encrypt"}});
  CHECK(map_lines(kEtrnClients, all) == std::vector<MapLine>{{"192.0.2.7", "OK"},
                                                             {"192.0.2.9", "OK"},
                                                             {"2001:db8::7", "OK"}});
  CHECK(changed_lines(kTlsPolicy, all, generated({})).size() == 2);
  CHECK(changed_lines(kTlsPolicy, generated({}), all) ==
        std::vector<MapLine>{{"[192.0.2.7]:25", ""}, {"[2001:db8::7]:2525", ""}});
}

}  // namespace
}  // namespace mxfeed
