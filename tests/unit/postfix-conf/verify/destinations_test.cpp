// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/verify/destinations.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/verify/zone.h"

namespace mxfeed {
namespace {

const std::string kGateways =
    "mx1.isp.example A 198.51.100.2\n"
    "mx1.isp.example AAAA 2001:db8:1::2\n"
    "mx2.isp.example A 198.51.100.3\n";

GatewayConfig gateways() {
  GatewayConfig gateway;
  gateway.mx = {"mx1.isp.example"};
  gateway.backup_mx = {"mx2.isp.example"};
  gateway.allow_private = {*Network::parse("10.20.0.0/16")};
  gateway.hosts = {
      {"mx1.isp.example",
       {},
       {*IpAddress::parse("198.51.100.2"), *IpAddress::parse("2001:db8:1::2")}},
      {"mx2.isp.example", {}, {*IpAddress::parse("198.51.100.3")}}};
  return gateway;
}

// A configuration with acme.example.
class World {
 public:
  explicit World(std::vector<Endpoint> servers, DomainState state = DomainState::active) {
    config_.gateway = gateways();
    config_.files = {"f"};
    DomainSettings settings;
    settings.deliver_to_mx = servers.empty();
    settings.service = servers.empty() ? Service::backup : Service::feed;
    settings.state = state;
    config_.settings.push_back(std::move(settings));
    config_.domains.push_back(
        {"acme.example", {0, 1}, DomainConfig::kNoCustomer, std::move(servers), nullptr});
    config_.domains.back().settings = &config_.settings.back();
  }

  // "error: CAUSE", "warning: CAUSE".
  std::vector<std::string> problems(const std::string& zone, bool in_force) const {
    Zone lookup(kGateways + zone);
    const auto found =
        check_destinations(config_, {*IpAddress::parse("198.51.100.9")}, lookup,
                           [&](std::string_view domain, std::string_view next_hop) {
                             CHECK(domain == "acme.example");
                             CHECK(next_hop == (config_.domains.front().deliver_to.empty()
                                                    ? "acme.example"
                                                    : "[mail.acme.example]:25"));
                             return in_force;
                           });
    std::vector<std::string> all;
    for (const auto& one : found.errors) all.push_back("error: " + one.cause);
    for (const auto& one : found.warnings) all.push_back("warning: " + one.cause);
    return all;
  }

 private:
  Config config_;
};

const Endpoint kByName{std::string("mail.acme.example"), 25};

struct Case {
  const char* name;
  std::string zone;
  std::string want;  // the beginning of the cause; empty if all is well
};

const Case kNamed[] = {
    {"a public address", "mail.acme.example A 192.0.2.7", ""},
    {"IPv6 alone", "mail.acme.example AAAA 2001:db8::7", ""},
    {"a private address that is allowed", "mail.acme.example A 10.20.0.1", ""},
    {"no such name", "", "[mail.acme.example]:25: does not exist"},
    {"MX records alone", "mail.acme.example MX 5 mx.acme.example",
     "[mail.acme.example]:25: does not exist"},
    {"a private address", "mail.acme.example A 10.21.0.1",
     "[mail.acme.example]:25: 10.21.0.1: a private address"},
    {"one of two is private",
     "mail.acme.example A 192.0.2.7\nmail.acme.example AAAA fd00::1",
     "[mail.acme.example]:25: fd00::1: a private address"},
    {"another gateway", "mail.acme.example A 198.51.100.3",
     "[mail.acme.example]:25: 198.51.100.3: an address of gateway host"},
    {"this host by an address that is not in [[host]]",
     "mail.acme.example A 198.51.100.9",
     "[mail.acme.example]:25: 198.51.100.9: an address of this host"},
};

const std::string kGood = "mail.acme.example A 192.0.2.7\nold.acme.example A 192.0.2.8\n";

const Case kMx[] = {
    {"before ours",
     kGood + "acme.example MX 5 mail.acme.example\n"
             "acme.example MX 7 mx2.isp.example",
     ""},
    {"before ours and after",
     kGood + "acme.example MX 5 mail.acme.example\n"
             "acme.example MX 7 mx2.isp.example\n"
             "acme.example MX 9 gone.acme.example",
     ""},
    {"one of two before ours exists",
     kGood + "acme.example MX 4 gone.acme.example\n"
             "acme.example MX 5 mail.acme.example\n"
             "acme.example MX 7 mx2.isp.example",
     ""},
    {"another gateway before us",
     kGood + "acme.example MX 5 mx1.isp.example\n"
             "acme.example MX 6 mail.acme.example\n"
             "acme.example MX 7 mx2.isp.example",
     "no MX record names a server that comes before"},
    {"the same preference",
     kGood + "acme.example MX 5 mail.acme.example\n"
             "acme.example MX 5 mx2.isp.example",
     "no MX record names a server that comes before"},
    {"only ours", "acme.example MX 5 mx2.isp.example",
     "no MX record names a server that comes before"},
    {"ours by a name of the customer's",
     "acme.example MX 5 ours.acme.example\n"
     "ours.acme.example A 198.51.100.9",
     "no MX record names a server that comes before"},
    {"none", "acme.example A 192.0.2.7", "the domain has no MX record"},
    {"null", "acme.example MX 0 .", "the domain says that it takes no mail"},
    {"a private address",
     "mail.acme.example A 192.168.0.1\n"
     "acme.example MX 5 mail.acme.example\n"
     "acme.example MX 7 mx2.isp.example",
     "mail.acme.example: 192.168.0.1: a private address"},
    {"none before ours exists",
     "acme.example MX 5 mail.acme.example\n"
     "acme.example MX 6 gone.acme.example\n"
     "acme.example MX 7 mx2.isp.example",
     "mail.acme.example, gone.acme.example: does not exist"},
    {"a gateway with an address that we do not know",
     kGood + "mx1.isp.example A 198.51.100.77\nacme.example MX 5 mail.acme.example\n"
             "acme.example MX 7 mx1.isp.example",
     "mx1.isp.example is a gateway with an address that no [[host]] has"},
};

void check_cases(const World& world, const Case& c) {
  INFO(c.name);
  const auto found = world.problems(c.zone, false);
  const auto in_force = world.problems(c.zone, true);
  CAPTURE(found, in_force);
  if (c.want.empty()) {
    CHECK(found.empty());
    CHECK(in_force.empty());
    return;
  }
  REQUIRE(found.size() == 1);
  CHECK(found.front().starts_with("error: " + c.want));
  REQUIRE(in_force.size() == 1);
  CHECK(in_force.front().starts_with("warning: " + c.want));
  CHECK(in_force.front().ends_with(" (mail waits)"));
}

TEST_CASE(
    "a name that leads astray is an error, and a warning if mail goes there already") {
  const World world({kByName});
  for (const auto& c : kNamed) check_cases(world, c);
}

TEST_CASE("MX records must name a server before ours") {
  const World world({});
  for (const auto& c : kMx) check_cases(world, c);
}

TEST_CASE("what the DNS does not answer is a warning") {
  for (const bool in_force : {false, true}) {
    CHECK(
        World({kByName}).problems("mail.acme.example fails", in_force) ==
        std::vector<std::string>{"warning: [mail.acme.example]:25: not checked: the DNS "
                                 "does not answer: timed out"});
    CHECK(World({}).problems("acme.example fails", in_force) ==
          std::vector<std::string>{
              "warning: MX: not checked: the DNS does not answer: timed out"});
  }
}

TEST_CASE("records that do not name us are a warning") {
  CHECK(
      World({}).problems(kGood + "acme.example MX 5 mail.acme.example", false) ==
      std::vector<std::string>{"warning: no MX record names a gateway: no mail arrives"});
}

TEST_CASE("a domain that is removed is not looked up") {
  CHECK(World({kByName}, DomainState::removed).problems("", false).empty());
}

TEST_CASE("servers are found by their names and by MX records") {
  Zone lookup(kGateways + kGood +
              "mail.acme.example AAAA 2001:db8::7\nacme.example MX 5 mail.acme.example\n"
              "acme.example MX 7 mx2.isp.example\nacme.example MX 9 old.acme.example");
  DomainSettings settings;
  DomainConfig domain;
  domain.name = "acme.example";
  domain.settings = &settings;
  domain.deliver_to = {{*IpAddress::parse("192.0.2.1"), 26},
                       {std::string("mail.acme.example"), 27},
                       {std::string("gone.acme.example"), 28}};
  const auto found = [&] {
    std::vector<std::string> all;
    for (const auto& one : servers_of(domain, gateways(), lookup)) {
      all.push_back(one.str());
    }
    return all;
  };
  CHECK(found() ==
        std::vector<std::string>{"[192.0.2.1]:26", "[192.0.2.7]:27", "[2001:db8::7]:27"});
  domain.deliver_to.clear();
  settings.deliver_to_mx = true;
  CHECK(found() == std::vector<std::string>{"[192.0.2.7]:25", "[2001:db8::7]:25"});
}

}  // namespace
}  // namespace mxfeed
