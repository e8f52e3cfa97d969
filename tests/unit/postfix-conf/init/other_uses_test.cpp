// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/init/other_uses.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using Strings = std::vector<std::string>;

// As Debian installs it for an Internet site.
SiteView debian() {
  SiteView site;
  site.settings.main = {
      {"myhostname", "mx1.isp.example"},
      {"mydestination", "mx1.isp.example, mx1, localhost.isp.example, , localhost"},
      {"relay_domains", ""},
      {"relay_transport", "relay"},
      {"default_transport", "smtp"},
      {"virtual_transport", "virtual"},
      {"relayhost", ""},
      {"inet_interfaces", "all"},
      {"mynetworks", "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128"},
  };
  site.settings.services = {{"smtp/inet", "smtpd", {}}, {"pickup/unix", "pickup", {}}};
  site.reading.site.mynetworks = {*Network::parse("127.0.0.0/8"),
                                  *Network::parse("::1/128")};
  return site;
}

Strings uses(const SiteView& site) {
  const IpAddress addresses[] = {*IpAddress::parse("203.0.113.2"),
                                 *IpAddress::parse("10.0.0.2")};
  return other_uses(site, "mx1.isp.example", addresses);
}

TEST_CASE("a Postfix with Debian's defaults has no other use", "[init]") {
  CHECK(uses(debian()).empty());
}

TEST_CASE("only names of the host itself are no other use", "[init]") {
  struct Row {
    const char* name;
    const char* mydestination;
    bool is_other;
  };
  const Row rows[] = {
      {"nothing", "", false},
      {"the name", "mx1.isp.example", false},
      {"in capitals", "MX1.ISP.example", false},
      {"the short name", "mx1", false},
      {"localhost", "localhost, localhost.localdomain, localhost.isp.example", false},
      {"the domain of the host", "mx1.isp.example, isp.example", true},
      {"another host of that name", "mx1.other.example", true},
      {"another short name", "www", true},
      {"a table", "hash:/etc/postfix/domains", true},
      {"a file", "/etc/postfix/domains", true},
  };
  for (const auto& row : rows) {
    for (const char* parameter : {"mydestination", "relay_domains"}) {
      INFO(parameter << ": " << row.name);
      SiteView site = debian();
      site.settings.main[parameter] = row.mydestination;
      const auto found = uses(site);
      CHECK(found == (row.is_other
                          ? Strings{std::string(parameter) + " = " + row.mydestination}
                          : Strings{}));
    }
  }
}

TEST_CASE("a host without a known domain has its full name too", "[init]") {
  SiteView site = debian();
  site.settings.main["myhostname"] = "mx1.localdomain";
  CHECK(other_uses(site, "mx1", {}).empty());
}

TEST_CASE("what carries mail of others is another use", "[init]") {
  for (const char* parameter :
       {"relay_recipient_maps", "relayhost", "transport_maps", "mailbox_transport",
        "virtual_alias_maps", "virtual_alias_domains", "virtual_mailbox_domains",
        "virtual_mailbox_maps", "smtpd_milters", "non_smtpd_milters", "content_filter",
        "default_transport", "virtual_transport", "relay_transport"}) {
    SiteView site = debian();
    site.settings.main[parameter] = "hash:/x";
    CHECK(uses(site) == Strings{std::string(parameter) + " = hash:/x"});

    site = debian();
    site.settings.services[0].options[parameter] = "hash:/x";
    CHECK(uses(site) ==
          Strings{"smtp/inet in master.cf: -o " + std::string(parameter) + " = hash:/x"});
  }
}

TEST_CASE("networks of other hosts are another use", "[init]") {
  struct Row {
    const char* network;
    bool is_other;
  };
  for (const auto& row :
       {Row{"203.0.113.2/32", false}, Row{"10.0.0.2/32", false}, Row{"fe80::/64", false},
        Row{"203.0.113.0/24", true}, Row{"10.0.0.3/32", true}, Row{"0.0.0.0/0", true}}) {
    INFO(row.network);
    SiteView site = debian();
    site.settings.main["mynetworks"] = row.network;
    site.reading.site.mynetworks = {*Network::parse(row.network)};
    CHECK(uses(site).empty() == !row.is_other);
  }
  SiteView site = debian();
  site.reading.uncompiled = {"hash:/x: cannot be compiled into the policy"};
  CHECK(uses(site).size() == 1);
}

TEST_CASE("services for other clients are another use", "[init]") {
  SiteView site = debian();
  site.settings.services.push_back({"submission/inet", "smtpd", {}});
  site.settings.services.push_back({"127.0.0.1:10025/inet", "smtpd", {}});
  CHECK(uses(site) ==
        Strings{"submission/inet in master.cf", "127.0.0.1:10025/inet in master.cf"});

  site = debian();
  site.settings.services = {{"smtp/inet", "postscreen", {}}, {"smtpd/pass", "smtpd", {}}};
  CHECK(uses(site).empty());
}

TEST_CASE("a long value is cut", "[init]") {
  SiteView site = debian();
  site.settings.main["relay_domains"] = std::string(5000, 'a');
  CHECK(uses(site) == Strings{"relay_domains = " + std::string(60, 'a') + "..."});
}

TEST_CASE("milters are those of the services on port 25, each once", "[init]") {
  SiteView site = debian();
  CHECK(milters_of(site.settings).empty());
  site.settings.main["smtpd_milters"] = "inet:localhost:8891, { unix:a/b, protocol=6 }";
  site.settings.services = {
      {"smtp/inet", "smtpd", {}},
      {"192.0.2.1:25/inet",
       "smtpd",
       {{"smtpd_milters", "unix:c unix:mxfeed/virus.sock inet:localhost:8891"}}},
      {"submission/inet", "smtpd", {{"smtpd_milters", "unix:d"}}}};
  CHECK(milters_of(site.settings) ==
        Strings{"inet:localhost:8891", "{ unix:a/b, protocol=6 }", "unix:c"});
}

TEST_CASE("a Postfix that only this host reaches is told", "[init]") {
  for (const char* value : {"loopback-only", "localhost", "127.0.0.1, [::1]"}) {
    SiteView site = debian();
    site.settings.main["inet_interfaces"] = value;
    CHECK(listens_on_loopback_only(site.settings));
  }
  for (const char* value : {"all", "", "127.0.0.1, 203.0.113.2", "mx1.isp.example"}) {
    SiteView site = debian();
    site.settings.main["inet_interfaces"] = value;
    CHECK_FALSE(listens_on_loopback_only(site.settings));
  }
}

}  // namespace
}  // namespace mxfeed
