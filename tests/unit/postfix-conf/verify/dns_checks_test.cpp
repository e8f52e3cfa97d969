// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/verify/dns_checks.h"

#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/verify/zone.h"

namespace mxfeed {
namespace {

using dns::Answer;
using dns::RecordType;
using std::chrono::seconds;

const std::string kGateways =
    "mx1.isp.example A 198.51.100.2\n"
    "mx1.isp.example AAAA 2001:db8:1::2\n"
    "mx2.isp.example A 198.51.100.3\n";
const std::string kGoodFeed =
    kGateways +
    "acme.example MX 10 mx1.isp.example\nacme.example MX 20 mx2.isp.example\n";
const std::string kGoodBackup = kGateways +
                                "mail.acme.example A 192.0.2.7\n"
                                "acme.example MX 5 mail.acme.example\n"
                                "acme.example MX 7 mx2.isp.example\n";

struct World {
  Config config;
  DomainSettings settings;
  DomainConfig domain;

  explicit World(Service service, bool subdomains = false) {
    config.gateway.mx = {"mx1.isp.example", "mx2.isp.example"};
    config.gateway.backup_mx = {"mx2.isp.example"};
    config.gateway.hosts = {
        {"mx1.isp.example",
         {},
         {*IpAddress::parse("198.51.100.2"), *IpAddress::parse("2001:db8:1::2")}},
        {"mx2.isp.example", {}, {*IpAddress::parse("198.51.100.3")}}};
    settings.service = service;
    settings.policy.subdomains = subdomains;
    domain.name = "acme.example";
    domain.settings = &settings;
    domain.deliver_to = {{*IpAddress::parse("192.0.2.7"), 25}};
  }
};

// "failed mx-alias mail.acme.example", all but what is ok.
std::vector<std::string> troubles(const std::vector<Finding>& findings) {
  std::vector<std::string> lines;
  for (const auto& one : findings) {
    if (one.outcome == Outcome::ok) continue;
    CHECK_FALSE(one.advice.empty());
    lines.push_back(std::string(to_string(one.outcome)) + " " + one.check + " " +
                    one.subject);
  }
  return lines;
}

const FetchPolicy kNoPolicy = [](const std::string&) { return std::nullopt; };

struct Case {
  const char* name;
  Service service;
  std::string zone;
  std::vector<std::string> want;
  seconds ttl{3600};
};

const Case kCases[] = {
    {"a good feed", Service::feed, kGoodFeed, {}},
    {"a good backup, with numbers that are no customary ones",
     Service::backup,
     kGoodBackup,
     {}},
    {"a good direct domain",
     Service::direct,
     "acme.example MX 10 mail.acme.example\nmail.acme.example A 192.0.2.7\n",
     {}},
    {"no MX record",
     Service::feed,
     "acme.example A 192.0.2.7\n",
     {"failed mx acme.example"}},
    {"the domain does not exist", Service::feed, "", {"failed mx acme.example"}},
    {"no server answers",
     Service::feed,
     "acme.example fails\n",
     {"unknown mx acme.example"}},
    {"null MX", Service::feed, "acme.example MX 0 .\n", {"failed mx acme.example"}},
    {"a TTL of 59",
     Service::feed,
     kGoodFeed,
     {"failed mx-ttl acme.example"},
     seconds(59)},
    {"a TTL of 60", Service::feed, kGoodFeed, {}, seconds(60)},
    {"an alias",
     Service::feed,
     kGoodFeed + "mx2.isp.example CNAME gw.isp.example\n",
     {"failed mx-alias mx2.isp.example"}},
    {"a host without an address",
     Service::backup,
     kGateways +
         "acme.example MX 5 mail.acme.example\nacme.example MX 7 mx2.isp.example\n",
     {"failed mx-address mail.acme.example", "note mx-server [192.0.2.7]:25"}},
    {"an address where a name must be",
     Service::direct,
     "acme.example MX 10 192.0.2.7\n",
     {"failed mx-host 192.0.2.7", "note mx-server [192.0.2.7]:25"}},
    {"the dot at the end was forgotten: a name that is not whole",
     Service::direct,
     "acme.example MX 10 mail\nmail A 192.0.2.7\n",
     {"failed mx-host mail"}},
    {"a private address",
     Service::direct,
     "acme.example MX 10 mail.acme.example\nmail.acme.example A 192.0.2.7\n"
     "mail.acme.example A 192.168.1.7\n",
     {"failed mx-address mail.acme.example"}},
    {"a shared address (RFC 6598)",
     Service::direct,
     "acme.example MX 10 mail.acme.example\nmail.acme.example A 192.0.2.7\n"
     "mail.acme.example A 100.64.0.7\n",
     {"failed mx-address mail.acme.example"}},
    {"a feed that the customer's server goes round",
     Service::feed,
     kGoodFeed + "acme.example MX 30 mail.acme.example\nmail.acme.example A 192.0.2.7\n",
     {"failed mx-bypass mail.acme.example"}},
    {"a feed that names no gateway",
     Service::feed,
     kGateways + "acme.example MX 30 mail.acme.example\nmail.acme.example A 192.0.2.7\n",
     {"failed mx-bypass mail.acme.example", "failed mx-ours acme.example"}},
    {"a feed that names one of two gateways",
     Service::feed,
     kGateways + "acme.example MX 10 mx1.isp.example\n",
     {"note mx-ours mx2.isp.example"}},
    {"a feed by a name of the customer's own",
     Service::feed,
     kGoodFeed + "acme.example MX 30 in.acme.example\nin.acme.example A 198.51.100.2\n",
     {}},
    {"a gateway's name with the address of another host",
     Service::feed,
     kGoodFeed + "mx2.isp.example A 192.0.2.99\n",
     {"failed mx-address mx2.isp.example"}},
    {"a backup before the customer's server",
     Service::backup,
     kGateways + "mail.acme.example A 192.0.2.7\nacme.example MX 20 mail.acme.example\n"
                 "acme.example MX 10 mx2.isp.example\n",
     {"failed mx-order acme.example"}},
    {"a backup beside the customer's server",
     Service::backup,
     kGateways + "mail.acme.example A 192.0.2.7\nacme.example MX 10 mail.acme.example\n"
                 "acme.example MX 10 mx2.isp.example\n",
     {"failed mx-order acme.example"}},
    {"a backup that is not named",
     Service::backup,
     "mail.acme.example A 192.0.2.7\nacme.example MX 20 mail.acme.example\n",
     {"failed mx-ours acme.example"}},
    {"a backup alone",
     Service::backup,
     kGateways + "acme.example MX 10 mx2.isp.example\n",
     {"failed mx-order acme.example"}},
    {"a backup whose customer has moved the server",
     Service::backup,
     kGateways + "mail.acme.example A 192.0.2.8\nacme.example MX 5 mail.acme.example\n"
                 "acme.example MX 7 mx2.isp.example\n",
     {"note mx-server [192.0.2.7]:25"}},
    {"a direct domain that names a gateway",
     Service::direct,
     kGoodBackup,
     {"failed mx-ours mx2.isp.example"}},
    {"the address of a host is not to be had now",
     Service::feed,
     "acme.example MX 10 mx1.isp.example\nmx1.isp.example fails\n",
     {"unknown mx-address mx1.isp.example", "unknown mx-address mx1.isp.example",
      "note mx-ours mx2.isp.example"}},
};

TEST_CASE("what the DNS lacks is found, and nothing is accused that is right") {
  for (const auto& one : kCases) {
    INFO(one.name);
    const World world(one.service);
    Zone zone(one.zone, one.ttl);
    CHECK(troubles(check_dns(world.config, world.domain, zone, kNoPolicy)) == one.want);
  }
}

TEST_CASE("names below a domain need the records too") {
  const World world(Service::feed, true);
  Zone bare(kGoodFeed);
  CHECK(troubles(check_dns(world.config, world.domain, bare, kNoPolicy)) ==
        std::vector<std::string>{"note mx-below *.acme.example"});
  Zone wild(kGoodFeed +
            "mxfeed-verify.acme.example MX 10 mx1.isp.example\n"
            "mxfeed-verify.acme.example MX 20 mx2.isp.example\n");
  CHECK(troubles(check_dns(world.config, world.domain, wild, kNoPolicy)).empty());
}

TEST_CASE("a policy for TLS must name every MX host") {
  struct PolicyCase {
    const char* name;
    std::optional<std::string> policy;
    std::vector<std::string> want;
  };
  const PolicyCase cases[] = {
      {"all",
       "version: STSv1\r\nmode: enforce\r\nmx: mx1.isp.example\r\n"
       "mx: MX2.isp.example\r\n",
       {}},
      {"one is missing, and it counts",
       "version: STSv1\nmode: enforce\nmx: mx1.isp.example\n",
       {"failed mta-sts mx2.isp.example"}},
      {"one is missing, in testing",
       "version: STSv1\nmode: testing\nmx: mx1.isp.example\n",
       {"note mta-sts mx2.isp.example"}},
      {"none is served", std::nullopt, {"note mta-sts mta-sts.acme.example"}},
  };
  for (const auto& one : cases) {
    INFO(one.name);
    const World world(Service::feed);
    Zone zone(kGoodFeed + "_mta-sts.acme.example TXT v=STSv1; id=1\n");
    const auto found =
        check_dns(world.config, world.domain, zone, [&](const std::string& host) {
          CHECK(host == "mta-sts.acme.example");
          return one.policy;
        });
    CHECK(troubles(found) == one.want);
  }
}

TEST_CASE("a wildcard of a policy stands for one label") {
  const std::string policy = "mx: *.mx.example\nmx:other.example\n";
  CHECK(sts_allows(policy, "a.mx.example"));
  CHECK(sts_allows(policy, "other.example"));
  CHECK_FALSE(sts_allows(policy, "mx.example"));
  CHECK_FALSE(sts_allows(policy, "a.b.mx.example"));
  CHECK_FALSE(sts_allows(policy, "another.example"));
}

}  // namespace
}  // namespace mxfeed
