// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/compile.h"

#include <set>

#include "postfix-conf/generate/maps.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

Hosted hosted(std::string name, DomainState state = DomainState::active,
              bool subdomains = false) {
  Hosted one;
  one.name = std::move(name);
  one.state = state;
  one.subdomains = subdomains;
  one.route = "[192.0.2.7]:25";
  one.policy.name = one.name;
  one.policy.subdomains = subdomains;
  return one;
}

Hosted refused(std::string name, bool subdomains = false) {
  auto one = hosted(std::move(name), DomainState::removed, subdomains);
  one.refused = true;
  return one;
}

Generated generated(std::vector<Hosted> all) {
  Generated made;
  made.hosted = std::move(all);
  return made;
}

constexpr auto kActive = DomainState::active;
constexpr auto kRemoved = DomainState::removed;

struct KeepCase {
  const char* name;
  std::vector<Hosted> before, now;
  std::set<std::string> waits;
  std::vector<std::string> want;  // "key" relayed, "-key" kept, "!key" refused
};

const KeepCase kKeeps[] = {
    {"nothing before", {}, {hosted("a.b")}, {}, {"a.b"}},
    {"removed just now, queue empty", {hosted("a.b")}, {}, {}, {"-a.b"}},
    {"removed before, queue empty", {hosted("a.b", kRemoved)}, {}, {}, {}},
    {"removed before, mail waits", {hosted("a.b", kRemoved)}, {}, {"a.b"}, {"-a.b"}},
    {"removed before, mail below it waits",
     {hosted("a.b", kRemoved, true)},
     {},
     {".a.b"},
     {"-a.b", "-.a.b"}},
    {"removed with names below it",
     {hosted("a.b", kActive, true)},
     {},
     {},
     {"-a.b", "-.a.b"}},
    {"comes back", {hosted("a.b", kRemoved)}, {hosted("a.b")}, {"a.b"}, {"a.b"}},
    {"comes back without the names below it",
     {hosted("a.b", kRemoved, true)},
     {hosted("a.b")},
     {".a.b"},
     {"a.b", "-.a.b"}},
    {"loses the names below it",
     {hosted("a.b", kActive, true)},
     {hosted("a.b")},
     {},
     {"a.b", "-.a.b"}},
    {"a parent takes over",
     {hosted("x.a.b")},
     {hosted("a.b", kActive, true)},
     {"x.a.b"},
     {"a.b", ".a.b"}},
    {"a far parent takes over",
     {hosted("x.y.a.b")},
     {hosted("a.b", kActive, true)},
     {},
     {"a.b", ".a.b"}},
    {"a parent without subdomains does not",
     {hosted("x.a.b")},
     {hosted("a.b")},
     {},
     {"a.b", "-x.a.b"}},
    {"refused below a parent from the start",
     {},
     {hosted("a.b", kActive, true), refused("x.a.b")},
     {},
     {"a.b", ".a.b", "!x.a.b"}},
    {"removed just now below a parent",
     {hosted("a.b", kActive, true), hosted("x.a.b")},
     {hosted("a.b", kActive, true), refused("x.a.b")},
     {},
     {"a.b", ".a.b", "-x.a.b"}},
    {"was a parent's just now",
     {hosted("a.b", kActive, true)},
     {hosted("a.b", kActive, true), refused("x.a.b", true)},
     {},
     {"a.b", ".a.b", "-x.a.b", "-.x.a.b"}},
    {"removed before below a parent, mail waits",
     {hosted("a.b", kActive, true), hosted("x.a.b", kRemoved)},
     {hosted("a.b", kActive, true), refused("x.a.b")},
     {"x.a.b"},
     {"a.b", ".a.b", "-x.a.b"}},
    {"removed before below a parent, queue empty",
     {hosted("a.b", kActive, true), hosted("x.a.b", kRemoved)},
     {hosted("a.b", kActive, true), refused("x.a.b")},
     {},
     {"a.b", ".a.b", "!x.a.b"}},
    {"refused before, now with the names below it",
     {hosted("a.b", kActive, true), refused("x.a.b")},
     {hosted("a.b", kActive, true), refused("x.a.b", true)},
     {},
     {"a.b", ".a.b", "-x.a.b", "-.x.a.b"}},
    {"removed below a refused one",
     {hosted("a.b", kActive, true), refused("x.a.b", true), hosted("y.x.a.b")},
     {hosted("a.b", kActive, true), refused("x.a.b", true)},
     {},
     {"a.b", ".a.b", "!x.a.b", "!.x.a.b", "-y.x.a.b"}},
    {"refused before, parent gone",
     {hosted("a.b", kActive, true), refused("x.a.b")},
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
      auto next = generated(c.now);
      keep_removed(next, generated(c.before),
                   [&](const RelayKey& key) { return c.waits.contains(key); });
      std::vector<std::string> got;
      for (const auto& line : transport_lines(next.hosted)) {
        got.push_back((line.value.starts_with("retry:")   ? "-"
                       : line.value.starts_with("error:") ? "!"
                                                          : "") +
                      line.key);
      }
      CHECK(got == c.want);
      for (const auto& line : relay_domain_lines(next.hosted)) {
        CHECK(std::find(c.want.begin(), c.want.end(), line.key) != c.want.end());
      }
    }
  }
}

TEST_CASE("milters know the names below a domain while mail for them waits",
          "[postfix-conf]") {
  auto next = generated({hosted("a.b")});
  keep_removed(next, generated({hosted("a.b", kActive, true)}),
               [](const RelayKey&) { return false; });
  CHECK(next.hosted[0].policy.subdomains);
  CHECK(kept_keys(next) == std::vector<RelayKey>{".a.b"});
  auto later = generated({hosted("a.b")});
  keep_removed(later, next, [](const RelayKey&) { return false; });
  CHECK_FALSE(later.hosted[0].policy.subdomains);
  CHECK(kept_keys(later).empty());
}

TEST_CASE("going back drops what was kept and keeps what is refused", "[postfix-conf]") {
  auto parent = hosted("a.b", kActive, true);
  auto lost_below = hosted("c.b");
  lost_below.subdomains_removed = lost_below.policy.subdomains = true;
  const auto got =
      without_removed(generated({parent, lost_below, hosted("d.b", kRemoved),
                                 hosted("x.a.b", kRemoved), refused("y.a.b")}));
  const std::vector<Hosted> want = {parent, hosted("c.b"), refused("x.a.b"),
                                    refused("y.a.b")};
  CHECK((got.hosted == want));
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
  const auto all =
      generated({hosted("a.b", kActive, true), hosted("gone.b", kRemoved, true),
                 hosted("own.a.b"), refused("x.a.b"), refused("y.a.b", true)});
  for (const auto& c : kRelays) {
    INFO(c.key);
    CHECK(relays(all, c.key) == c.want);
  }
}

TEST_CASE("domains of equal virus and spam policy have the same class",
          "[postfix-conf]") {
  std::vector<Hosted> all;
  for (const char* name : {"a.b", "b.b", "c.b", "d.b", "e.b"})
    all.push_back(hosted(name));
  all[1].policy.greylist.when = GreylistWhen::never;  // no content policy
  all[2].policy.virus.infected = VirusAction::reject;
  all[3].policy.spam.enabled = true;
  all[4].policy.virus.infected = VirusAction::reject;
  assign_classes(all);
  CHECK(all[0].policy.content_class == 1);
  CHECK(all[1].policy.content_class == 1);
  CHECK(all[2].policy.content_class == 2);
  CHECK(all[3].policy.content_class == 3);
  CHECK(all[4].policy.content_class == 2);
}

struct GuardCase {
  std::size_t count, of;
  bool nothing_left, are_many;
};

const GuardCase kGuards[] = {
    {0, 0, true, false},         {0, 5, false, false},        {10, 11, false, false},
    {11, 100, false, true},      {11, 1100, false, false},    {11, 1099, false, true},
    {1000, 99'999, false, true}, {999, 99'900, false, false}, {1, 1, true, true},
};

TEST_CASE("more than ten and one percent, or the last, are many removals",
          "[postfix-conf]") {
  for (const auto& c : kGuards) {
    INFO(c.count << " of " << c.of);
    CHECK(Removals{c.count, c.of, c.nothing_left}.are_many() == c.are_many);
  }
}

TEST_CASE("a domain that its parent takes over is no removal", "[postfix-conf]") {
  const auto removals =
      count_removals(generated({hosted("a.b", kActive, true)}),
                     generated({hosted("a.b"), hosted("gone.b"),
                                hosted("kept.b", kRemoved), hosted("x.a.b")}));
  CHECK(removals.count == 1);
  CHECK(removals.of == 3);
  CHECK_FALSE(removals.nothing_left);
}

std::string parameter(const std::vector<std::pair<std::string, std::string>>& all,
                      std::string_view name) {
  for (const auto& [key, value] : all) {
    if (key == name) return value;
  }
  return "absent";
}

TEST_CASE("Postfix's limits are above those of every domain", "[postfix-conf]") {
  using std::chrono::hours;
  const auto small = main_cf_parameters("/s", hours(24), 51'200'000, false, nullptr);
  CHECK(parameter(small, "maximal_queue_lifetime") == "5d");
  CHECK(parameter(small, "message_size_limit") == "51200000");
  CHECK(parameter(small, "mailbox_size_limit") == "absent");
  CHECK(parameter(small, "smtp_bind_address") == "absent");
  const auto large = main_cf_parameters("/s", hours(24 * 30), 51'200'001, true, nullptr);
  CHECK(parameter(large, "maximal_queue_lifetime") == "30d");
  CHECK(parameter(large, "bounce_queue_lifetime") == "30d");
  CHECK(parameter(large, "mailbox_size_limit") == "0");
  CHECK(parameter(small, "smtpd_discard_ehlo_keywords") == "silent-discard, smtputf8");
  CHECK(parameter(large, "smtpd_discard_ehlo_keywords").empty());
  const auto number = [&](const char* name) { return std::stoi(parameter(small, name)); };
  CHECK(number("smtpd_soft_error_limit") > number("smtpd_recipient_limit"));
  CHECK(number("smtpd_hard_error_limit") > number("smtpd_recipient_limit"));
}

}  // namespace
}  // namespace mxfeed
