// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/compile.h"
#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/generate/generated_cases.h"

namespace mxfeed {
namespace {

TEST_CASE("domains of equal policies for content have the same class", "[postfix-conf]") {
  auto all = generated({});
  all.policies.clear();
  PolicyIndex index(all.policies);
  DomainPolicy policy;
  const auto add = [&](std::string name) {
    all.hosted.push_back(hosted(std::move(name)));
    all.hosted.back().policy = index.add(policy);
  };
  add("a.b");
  policy.greylist.when = GreylistWhen::never;  // no content policy
  add("b.b");
  policy.virus.infected = VirusAction::reject;
  add("c.b");
  policy = DomainPolicy();
  policy.spam.enabled = true;
  add("d.b");
  policy = DomainPolicy();
  policy.virus.infected = VirusAction::reject;
  add("e.b");
  policy = DomainPolicy();
  policy.attachments.preset = AttachmentPreset::executables;
  add("f.b");
  const auto next = complete({all, {}}, Generated(), kNothingWaits, kNow);
  std::vector<std::uint32_t> classes;
  for (const auto& one : next.hosted) {
    classes.push_back(next.policies.at(one.policy).content_class);
  }
  CHECK(classes == std::vector<std::uint32_t>{1, 1, 2, 3, 2, 4});
}

TEST_CASE("equal policies are stored once", "[postfix-conf]") {
  std::vector<DomainPolicy> policies;
  PolicyIndex index(policies);
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < 20; ++i) {
      DomainPolicy policy;
      policy.name = "d" + std::to_string(round) + ".example";
      policy.greylist.delay = std::chrono::seconds(i);
      CHECK(index.add(policy) == i);
    }
  }
  CHECK(policies.size() == 20);
  CHECK(PolicyIndex(policies).add(policies[7]) == 7);
}

TEST_CASE("two generations are the same whatever the order of their policies",
          "[postfix-conf]") {
  auto a = generated({hosted("a.b"), hosted("c.b")});
  a.policies.emplace_back();
  a.policies[1].greylist.shadow = true;
  a.hosted[1].policy = 1;
  auto b = a;
  std::swap(b.policies[0], b.policies[1]);
  std::swap(b.hosted[0].policy, b.hosted[1].policy);
  CHECK(same(a, b));
  b.gateway.generation = 7;
  CHECK(same(a, b));
  b.hosted[0].policy = 0;
  CHECK_FALSE(same(a, b));
}

}  // namespace
}  // namespace mxfeed
