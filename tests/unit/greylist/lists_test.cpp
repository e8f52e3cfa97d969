// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/lists.h"

#include "tests/support/catch.h"
#include "tests/unit/greylist/list_of.h"

namespace mxfeed::greylist {
namespace {

struct Policies {
  SenderList domain_allow, domain_deny, gateway_allow, gateway_deny;
};

TEST_CASE("the domain's list comes before the gateway's, allow before deny",
          "[greylist]") {
  const auto facts = SenderFacts::of({IpAddress::parse("192.0.2.7"), "mail.shop.example"},
                                     "user@shop.example");
  const SenderList host = list_of({"192.0.2.7"}), network = list_of({"192.0.0.0/16"}),
                   sender = list_of({"@shop.example"}), other = list_of({"192.0.3.0/24"});
  using enum Ruling;
  struct {
    const char* name;
    Policies lists;
    bool is_confirmed;
    Ruling ruling;
    const char* entry;
    bool by_domain;
  } const rows[] = {
      {"no lists", {}, true, none, "", false},
      {"lists of others", {other, other, other, other}, true, none, "", false},
      {"allowed by the domain",
       {network, {}, {}, {}},
       true,
       allowed,
       "192.0.0.0/16",
       true},
      {"denied by the domain", {{}, network, {}, {}}, true, denied, "192.0.0.0/16", true},
      {"allowed by the gateway",
       {{}, {}, network, {}},
       true,
       allowed,
       "192.0.0.0/16",
       false},
      {"denied by the gateway",
       {{}, {}, {}, network},
       true,
       denied,
       "192.0.0.0/16",
       false},
      {"the domain allows whom the gateway denies",
       {network, {}, {}, host},
       true,
       allowed,
       "192.0.0.0/16",
       true},
      {"the domain denies whom the gateway allows",
       {{}, network, host, {}},
       true,
       denied,
       "192.0.0.0/16",
       true},
      {"a wide allow wins over a narrow deny",
       {network, host, {}, {}},
       true,
       allowed,
       "192.0.0.0/16",
       true},
      {"a confirmed sender is allowed",
       {sender, host, {}, {}},
       true,
       allowed,
       "@shop.example",
       true},
      {"a forged sender is not",
       {sender, host, {}, {}},
       false,
       denied,
       "192.0.2.7",
       true},
      {"a forged sender is not denied", {{}, sender, {}, {}}, false, none, "", false},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      GreylistPolicy domain;
      domain.allow = row.lists.domain_allow;
      domain.deny = row.lists.domain_deny;
      GatewayPolicy::Greylist gateway;
      gateway.allow = row.lists.gateway_allow;
      gateway.deny = row.lists.gateway_deny;
      const Listed found =
          look_up(domain, gateway, facts, [&] { return row.is_confirmed; });
      CHECK(found.ruling == row.ruling);
      CHECK((found.entry ? found.entry->str() : "") == row.entry);
      CHECK(found.by_domain == row.by_domain);
      CHECK(have_lists(domain, gateway) == (std::string_view(row.name) != "no lists"));
    }
  }
}

}  // namespace
}  // namespace mxfeed::greylist
