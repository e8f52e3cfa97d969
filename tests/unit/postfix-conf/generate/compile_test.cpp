// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/compile.h"

#include <set>

#include "common/mail/held_address.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/generate/maps.h"
#include "postfix-conf/generate/removals.h"
#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/generate/generated_cases.h"

namespace mxfeed {
namespace {

// "a.b active none", ...
std::vector<std::string> rows_of(const Generated& generated) {
  std::vector<std::string> rows;
  for (const auto& one : generated.hosted) {
    rows.push_back(one.name + " " + std::string(to_string(one.own)) + " " +
                   std::string(to_string(one.below)));
  }
  return rows;
}

struct KeepCase {
  const char* name;
  std::vector<Hosted> before, now;
  std::set<std::string> waits;
  std::vector<std::string> want;  // "key" relayed, "-key" kept, "!key" refused
};

const KeepCase kKeeps[] = {
    {"nothing before", {}, {hosted("a.b")}, {}, {"a.b"}},
    {"removed just now, queue empty", {hosted("a.b")}, {}, {}, {"-a.b"}},
    {"removed before, queue empty", {hosted("a.b", kKept)}, {}, {}, {}},
    {"removed before, mail waits", {hosted("a.b", kKept)}, {}, {"a.b"}, {"-a.b"}},
    {"removed before, mail below it waits",
     {hosted("a.b", kKept, kKept)},
     {},
     {".a.b"},
     {"-a.b", "-.a.b"}},
    {"removed with names below it",
     {hosted("a.b", kActive, kActive)},
     {},
     {},
     {"-a.b", "-.a.b"}},
    {"comes back", {hosted("a.b", kKept)}, {hosted("a.b")}, {"a.b"}, {"a.b"}},
    {"comes back without the names below it",
     {hosted("a.b", kKept, kKept)},
     {hosted("a.b")},
     {".a.b"},
     {"a.b", "-.a.b"}},
    {"loses the names below it",
     {hosted("a.b", kActive, kActive)},
     {hosted("a.b")},
     {},
     {"a.b", "-.a.b"}},
    {"a parent takes over",
     {hosted("x.a.b")},
     {hosted("a.b", kActive, kActive)},
     {"x.a.b"},
     {"a.b", ".a.b"}},
    {"a far parent takes over",
     {hosted("x.y.a.b")},
     {hosted("a.b", kActive, kActive)},
     {},
     {"a.b", ".a.b"}},
    {"a parent without subdomains does not",
     {hosted("x.a.b")},
     {hosted("a.b")},
     {},
     {"a.b", "-x.a.b"}},
    {"refused below a parent from the start",
     {},
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused)},
     {},
     {"a.b", ".a.b", "!x.a.b"}},
    {"removed just now below a parent",
     {hosted("a.b", kActive, kActive), hosted("x.a.b")},
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused)},
     {},
     {"a.b", ".a.b", "-x.a.b"}},
    {"was a parent's just now",
     {hosted("a.b", kActive, kActive)},
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused, kRefused)},
     {},
     {"a.b", ".a.b", "-x.a.b", "-.x.a.b"}},
    {"removed before below a parent, mail waits",
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kKept)},
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused)},
     {"x.a.b"},
     {"a.b", ".a.b", "-x.a.b"}},
    {"removed before below a parent, queue empty",
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kKept)},
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused)},
     {},
     {"a.b", ".a.b", "!x.a.b"}},
    {"refused before, now with the names below it",
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused)},
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused, kRefused)},
     {},
     {"a.b", ".a.b", "!x.a.b", "-.x.a.b"}},
    {"refused, while mail for names below it waits: the parent takes it over",
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused, kKept)},
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused)},
     {".x.a.b"},
     {"a.b", ".a.b", "!x.a.b"}},
    {"refused before and gone, while mail for names below it waits",
     {hosted("a.b"), hosted("x.a.b", kRefused, kKept)},
     {hosted("a.b")},
     {".x.a.b"},
     {"a.b", "-.x.a.b"}},
    {"removed below a refused one",
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused, kRefused),
      hosted("y.x.a.b")},
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused, kRefused)},
     {},
     {"a.b", ".a.b", "!x.a.b", "!.x.a.b", "-y.x.a.b"}},
    {"refused below a parent that was kept, mail waits",
     {hosted("a.b", kKept, kKept)},
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused)},
     {".a.b"},
     {"a.b", ".a.b", "-x.a.b"}},
    {"refused below a parent that was kept, queue empty",
     {hosted("a.b", kKept, kKept)},
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused)},
     {},
     {"a.b", ".a.b", "!x.a.b"}},
    {"refused before, parent gone",
     {hosted("a.b", kActive, kActive), hosted("x.a.b", kRefused)},
     {},
     {},
     {"-a.b", "-.a.b"}},
    {"order is kept",
     {hosted("a.b"), hosted("c.b"), hosted("e.b")},
     {hosted("b.b"), hosted("d.b")},
     {},
     {"-a.b", "b.b", "-c.b", "d.b", "-e.b"}},
};

TEST_CASE("what was relayed keeps a route while mail may wait", "[postfix-conf]") {
  for (const auto& c : kKeeps) {
    DYNAMIC_SECTION(c.name) {
      Wanted wanted{generated(c.now), {}};
      wanted.draft.use.removal_grace = std::chrono::seconds(0);
      const auto next = complete(
          wanted, generated(c.before),
          [&](const RelayKey& key) { return c.waits.contains(key); }, kNow);
      std::vector<std::string> got;
      for (const auto& line : map_lines(kTransport, next)) {
        if (line.key == kQuarantineDomain) continue;
        got.push_back((line.value.starts_with("retry:")   ? "-"
                       : line.value.starts_with("error:") ? "!"
                                                          : "") +
                      line.key);
      }
      CHECK(got == c.want);
      for (const auto& line : map_lines(kRelayDomains, next)) {
        CHECK(std::find(c.want.begin(), c.want.end(), line.key) != c.want.end());
      }
    }
  }
}

struct GraceCase {
  const char* name;
  bool was_relayed;   // before; else kept, gone since an hour ago
  bool is_refused;    // by the configuration
  int hours_later;    // of the second apply
  const char* first;  // intake after the first apply; empty: no row
  const char* later;
};

const GraceCase kGraces[] = {
    {"it has vanished", true, false, 1, "gone", "gone"},
    {"the grace is over", true, false, 72, "gone", ""},
    {"the clock was set back", true, false, -1000, "gone", "gone"},
    {"it was gone already", false, false, 71, "gone", ""},
    {"the configuration removes it", true, true, 1, "open", ""},
    {"and removes it after it had vanished", false, true, 1, "", ""},
};

TEST_CASE("mail for what has vanished is put off before it is refused",
          "[postfix-conf]") {
  using std::chrono::hours;
  for (const auto& c : kGraces) {
    DYNAMIC_SECTION(c.name) {
      auto before = generated({hosted("a.b", c.was_relayed ? kActive : kKept)});
      if (!c.was_relayed) {
        before.hosted[0].intake = Intake::gone;
        before.hosted[0].gone_since = kNow - hours(1);
      }
      Wanted wanted{generated({}), {}};
      if (c.is_refused) wanted.refused = {"a.b"};
      const auto intake = [](const Generated& all) {
        return std::string(all.hosted.empty() ? "" : to_string(all.hosted[0].intake));
      };
      const auto first = complete(wanted, before, kNothingWaits, kNow);
      CHECK(intake(first) == c.first);
      CHECK(map_lines(kRelayDomains, first).empty() == (intake(first) != "gone"));
      const auto later =
          complete(wanted, first, kNothingWaits, kNow + hours(c.hours_later));
      CHECK(intake(later) == c.later);
      // Again at the same time, nothing changes.
      CHECK(same(complete(wanted, first, kNothingWaits, kNow + hours(c.hours_later)),
                 later));
    }
  }
}

TEST_CASE("mail that waits keeps its route when the grace is over", "[postfix-conf]") {
  const Waits all_wait = [](const RelayKey&) { return true; };
  const auto first =
      complete({generated({}), {}}, generated({hosted("a.b")}), all_wait, kNow);
  const auto later =
      complete({generated({}), {}}, first, all_wait, kNow + std::chrono::hours(72));
  REQUIRE(rows_of(later) == std::vector<std::string>{"a.b kept none"});
  CHECK(later.hosted[0].intake == Intake::open);
  CHECK(later.hosted[0].gone_since == kNow);
  CHECK(map_lines(kRelayDomains, later).empty());
}

TEST_CASE("names below a domain are kept once it has lost them", "[postfix-conf]") {
  const auto next =
      complete({generated({hosted("a.b")}), {}},
               generated({hosted("a.b", kActive, kActive)}), kNothingWaits, kNow);
  CHECK(rows_of(next) == std::vector<std::string>{"a.b active kept"});
  CHECK(kept_keys(next) == std::vector<RelayKey>{".a.b"});
  const auto later =
      complete({generated({hosted("a.b")}), {}}, next, kNothingWaits, kNow);
  CHECK(rows_of(later) == std::vector<std::string>{"a.b active none"});
  CHECK(kept_keys(later).empty());
}

TEST_CASE("going back drops what was kept and keeps what is refused", "[postfix-conf]") {
  const auto got = wanted_again(
      generated({hosted("a.b", kActive, kActive), hosted("c.b", kActive, kKept),
                 hosted("d.b", kKept), hosted("x.a.b", kKept, kKept),
                 hosted("y.a.b", kRefused, kKept), hosted("z.a.b", Row::none, kKept)}));
  const std::vector<std::string> want = {"a.b active active", "c.b active none",
                                         "x.a.b refused refused", "y.a.b refused none",
                                         "z.a.b refused none"};
  CHECK(rows_of(got.draft) == want);
}

TEST_CASE("what is kept has its policy, and unknown fields stay", "[postfix-conf]") {
  auto before = generated({hosted("a.b"), hosted("gone.b")});
  before.policies.emplace_back();
  before.policies[1].greylist.shadow = true;
  before.policies[1].unknown = std::string("\x70\x01z", 3);
  before.hosted[1].policy = 1;
  before.unknown = {{"a.b", {{"later", "1"}}}, {"gone.b", {{"later", "2"}}}};
  const auto next = complete({generated({hosted("a.b"), hosted("new.b")}), {}}, before,
                             kNothingWaits, kNow);
  REQUIRE(rows_of(next) == std::vector<std::string>{"a.b active none", "gone.b kept none",
                                                    "new.b active none"});
  const auto& policy = next.policies.at(next.hosted[1].policy);
  CHECK(policy.greylist.shadow);
  CHECK(policy.unknown == before.policies[1].unknown);
  CHECK(next.unknown == before.unknown);
  // Without the domain there is nothing to keep of it.
  const auto later = complete({generated({hosted("new.b")}), {}}, next, kNothingWaits,
                              kNow + std::chrono::hours(72));
  CHECK_FALSE(later.unknown.contains("gone.b"));
}

struct RelaysCase {
  const char* key;
  bool want;
};

const RelaysCase kRelays[] = {
    {"a.b", true},     {".a.b", true},     {"z.a.b", true},    {".z.a.b", true},
    {"x.a.b", false},  {".x.a.b", true},   {"z.x.a.b", true},  {"y.a.b", false},
    {".y.a.b", false}, {"z.y.a.b", false}, {"own.a.b", true},  {".own.a.b", true},
    {"b", false},      {"gone.b", false},  {".gone.b", false}, {"z.gone.b", false},
};

TEST_CASE("what is relayed is told as Postfix looks it up", "[postfix-conf]") {
  const auto all = generated(
      {hosted("a.b", kActive, kActive), hosted("gone.b", kKept, kKept), hosted("own.a.b"),
       hosted("x.a.b", kRefused), hosted("y.a.b", kRefused, kRefused)});
  for (const auto& c : kRelays) {
    INFO(c.key);
    CHECK(relays(all, c.key) == c.want);
  }
}

TEST_CASE("changed look-ups are found, and what is gone", "[postfix-conf]") {
  auto moved = hosted("b.b");
  moved.route = "[192.0.2.8]:25";
  const std::vector<Hosted> before = {hosted("a.b"), hosted("b.b"),
                                      hosted("c.b", kActive, kActive), hosted("d.b"),
                                      hosted("f.b")};
  auto held = hosted("f.b");
  held.on_refusal = OnRefusal::hold;
  const std::vector<Hosted> now = {hosted("a.b"), moved, hosted("c.b"), hosted("e.b"),
                                   held};
  const std::vector<MapLine> want = {{"b.b", "mxfeed-relay:[192.0.2.8]:25"},
                                     {".c.b", ""},
                                     {"d.b", ""},
                                     {"e.b", "mxfeed-relay:[192.0.2.7]:25"},
                                     {"f.b", "mxfeed-soft:[192.0.2.7]:25"}};
  CHECK(changed_lines(kTransport, generated(now), generated(before)) == want);
}

TEST_CASE("there is always a route to the quarantine", "[postfix-conf]") {
  const auto lines = map_lines(kTransport, generated({}));
  CHECK(lines == std::vector<MapLine>{{"quarantine.mxfeed.invalid",
                                       "mxfeed-quarantine:unix:mxfeed/quarantine.sock"}});
}

TEST_CASE("with a provider's postmaster, refused mail for one does not bounce at once",
          "[postfix-conf]") {
  auto held = hosted("held.b");
  held.on_refusal = OnRefusal::hold;
  const std::vector<Hosted> all = {hosted("a.b"), held};
  const auto before = generated(all);
  auto now = before;
  now.master_cf = {"mxfeed-provider unix - n n - - pipe argv=x"};
  const std::vector<MapLine> want = {{"postmaster@a.b", "mxfeed-soft:[192.0.2.7]:25"}};
  CHECK(changed_lines(kTransport, now, before) == want);
  const std::vector<MapLine> gone = {{"postmaster@a.b", ""}};
  CHECK(changed_lines(kTransport, before, now) == gone);
}

std::vector<MapLine> with_site(const MapKind& kind, Site site, std::vector<Hosted> all) {
  auto made = generated(std::move(all));
  made.site = std::move(site);
  return map_lines(kind, made);
}

TEST_CASE("where relay_domains takes names below a domain they are refused",
          "[postfix-conf]") {
  const std::vector<Hosted> all = {hosted("a.b"), hosted("f.b", kActive, kActive),
                                   hosted("gone.b", kKept), hosted("x.f.b")};
  const auto keys = [&](const Site& site) {
    std::vector<std::string> found;
    for (const auto& line : with_site(kTransport, site, all)) {
      if (line.key == kQuarantineDomain) continue;
      found.push_back((line.value.starts_with("error:") ? "!" : "") + line.key);
    }
    return found;
  };
  using Strings = std::vector<std::string>;
  CHECK(keys({}) == Strings{"a.b", "f.b", ".f.b", "gone.b", "x.f.b"});
  Site site;
  site.parents_match = true;
  CHECK(keys(site) == Strings{"a.b", "!.a.b", "f.b", ".f.b", "gone.b", "x.f.b"});
}

TEST_CASE("a row that follows from a parent's is changed with it", "[postfix-conf]") {
  auto before = generated({hosted("x.a.b")});
  auto now = generated({hosted("a.b", kActive, kActive), hosted("x.a.b")});
  before.site.parents_match = now.site.parents_match = true;
  const auto changed = changed_lines(kTransport, now, before);
  REQUIRE(changed.size() == 3);
  CHECK(changed[2] == MapLine{".x.a.b", ""});
}

TEST_CASE("relay_recipient_maps has what is relayed, if the site has it",
          "[postfix-conf]") {
  const std::vector<Hosted> all = {hosted("a.b"), hosted("f.b", kActive, kActive),
                                   hosted("gone.b", kKept), hosted("x.f.b", kRefused)};
  CHECK(with_site(kRelayRecipients, {}, all).empty());
  Site site;
  site.has_relay_recipients = true;
  CHECK(with_site(kRelayRecipients, site, all) ==
        std::vector<MapLine>{{"@a.b", "feed"}, {"@f.b", "feed"}});
  auto made = generated(all);
  CHECK(relay_recipient_patterns(made).find('/') == std::string::npos);
  made.site = site;
  CHECK(relay_recipient_patterns(made) == "# Written by mxfeed.\n/@.+\\.f\\.b$/ feed\n");
}

TEST_CASE("other mail is scanned on a dedicated Postfix, or if that is asked for",
          "[postfix-conf]") {
  for (const bool dedicated : {false, true}) {
    for (const bool scan_other_mail : {false, true}) {
      Config config;
      config.gateway.dedicated = dedicated;
      config.gateway.scan_other_mail = scan_other_mail;
      config.gateway.smtputf8 = dedicated;
      const auto policy = compile(config, nullptr, "/s", {}).draft.gateway;
      CHECK(policy.scan_other_mail == (dedicated || scan_other_mail));
      CHECK(policy.smtputf8 == dedicated);
    }
  }
}

}  // namespace
}  // namespace mxfeed
