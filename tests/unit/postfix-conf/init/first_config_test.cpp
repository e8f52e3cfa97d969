// SPDX-License-Identifier: GPL-2.0-or-later
//
// What mxfeed.toml has as a whole is in tests/golden/init_test.py.
#include "postfix-conf/init/first_config.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

HostFacts host() {
  HostFacts facts;
  facts.name = "mx1.isp.example";
  facts.addresses = {*IpAddress::parse("203.0.113.2"), *IpAddress::parse("2001:db8::2")};
  facts.has_cdb = true;
  facts.database = "/var/lib/clamav";
  facts.has_signatures = true;
  return facts;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("the name and the addresses of the host are written", "[init]") {
  const auto text = first_gateway_file(host());
  CHECK(has(text, "\nmx        = [\"mx1.isp.example\"]\n"));
  CHECK(has(text, "\nbackup_mx = [\"mx1.isp.example\"]\n"));
  CHECK(has(text, "\nname      = \"mx1.isp.example\"\n"));
  CHECK(has(text, "\naddresses = [\"203.0.113.2\", \"2001:db8::2\"]\n"));
}

TEST_CASE("a name without a domain is not written", "[init]") {
  for (const char* name : {"", "mx1", "localhost.localdomain", "mx1.localdomain", "a b.c",
                           "mx1.isp.example\"\n[x]"}) {
    INFO(name);
    HostFacts facts = host();
    facts.name = name;
    CHECK_FALSE(facts.has_full_name());
    const auto text = first_gateway_file(facts);
    CHECK(has(text, "\n#mx        = [\"mx1.isp.example\"]\n"));
    CHECK(has(text, "\n#[[host]]\n#name      = \"mx1.isp.example\"\n#addresses = "));
    CHECK(has(next_steps(facts, "/etc/mxfeed"), "missing: the full name of this host"));
  }
}

TEST_CASE("a host without a public address has none", "[init]") {
  HostFacts facts = host();
  facts.addresses.clear();
  CHECK(has(first_gateway_file(facts), "\n#addresses = [\"203.0.113.2\"]\n"));
  const auto text = next_steps(facts, "/etc/mxfeed");
  CHECK(has(text, "note: no interface has a public address"));
  CHECK_FALSE(has(text, "PTR"));
}

TEST_CASE("a Postfix is dedicated only if no other use was found", "[init]") {
  HostFacts facts = host();
  CHECK(has(first_gateway_file(facts), "\ndedicated = true\n"));
  facts.other_uses = {"relay_domains = old.example"};
  const auto shared = first_gateway_file(facts);
  CHECK(has(shared, "\n#   relay_domains = old.example\n"));
  CHECK(has(shared, "\n#dedicated = true\n"));
  CHECK_FALSE(has(shared, "\ndedicated = true\n"));
  facts.other_uses.clear();
  facts.postfix_fault = "run postconf: /etc/postfix: status 127";
  CHECK_FALSE(has(first_gateway_file(facts), "\ndedicated = true\n"));
}

TEST_CASE("milters are proposed in the list where they belong", "[init]") {
  HostFacts facts = host();
  facts.other_uses = {"smtpd_milters = ..."};
  facts.milters = {"inet:localhost:8891", "unix:openarc/s", "{ unix:own, protocol=6 }",
                   "unix:\x01\"x"};
  const auto text = first_gateway_file(facts);
  CHECK(has(text,
            "\n#verifiers = [\"inet:localhost:8891\", \"{ unix:own, protocol=6 }\"]"
            "\n#sealers   = [\"unix:openarc/s\"]\n"));
  CHECK(has(text, "# unix:own: unknown; one of the two lists must have it.\n"));
  CHECK(has(text, "# inet:localhost:8891: looks like opendkim"));
  CHECK(has(text, "# unix:\\x01\\x22x: unknown"));
  CHECK_FALSE(has(text, "\x01"));
}

TEST_CASE("what is missing is told with what to do", "[init]") {
  CHECK_FALSE(has(next_steps(host(), "/etc/mxfeed"), "missing: "));
  HostFacts facts = host();
  facts.has_cdb = facts.has_signatures = false;
  facts.listens_on_loopback_only = true;
  auto text = next_steps(facts, "/etc/mxfeed");
  CHECK(has(text, "missing: no signatures in /var/lib/clamav"));
  CHECK(has(text, "apt-get install postfix-cdb\n"));
  CHECK(has(text, "postconf -e inet_interfaces=all"));
  facts.postfix_fault = "run postconf: /etc/postfix: status 127";
  text = next_steps(facts, "/etc/mxfeed");
  CHECK(has(text, "missing: Postfix was not examined: run postconf"));
  CHECK_FALSE(has(text, "type cdb"));
}

TEST_CASE("the records of the host are shown", "[init]") {
  const auto text = next_steps(host(), "/etc/mxfeed");
  CHECK(has(text, "  mx1.isp.example.  A  203.0.113.2\n"));
  CHECK(has(text, "  mx1.isp.example.  AAAA  2001:db8::2\n"));
  CHECK(has(text, "  acme.example.  MX  10 mx1.isp.example.\n"));
  CHECK(
      has(text, "PTR records of 203.0.113.2, 2001:db8::2 that name mx1.isp.example.\n"));
}

}  // namespace
}  // namespace mxfeed
