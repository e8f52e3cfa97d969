// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/site_reading.h"

#include "common/base/file.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

using Strings = std::vector<std::string>;

struct NetworksCase {
  const char* name;
  const char* mynetworks;  // "DIR" stands for a directory with files
  Strings networks;
  std::size_t uncompiled;
};

const NetworksCase kNetworks[] = {
    {"none", "", {}, 0},
    {"as Postfix comes",
     "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128",
     {"127.0.0.0/8", "127.0.0.0/8", "::1/128"},
     0},
    {"commas and addresses",
     "192.0.2.1, [2001:db8::1]",
     {"192.0.2.1/32", "2001:db8::1/128"},
     0},
    {"a file", "DIR/list", {"10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"}, 0},
    {"a table of type cidr", "cidr:DIR/table", {"10.1.0.0/16", "10.2.0.0/16"}, 0},
    {"a table in line",
     "cidr:{{10.1.0.0/16 ok}, {10.2.0.0/16 ok}}",
     {"10.1.0.0/16", "10.2.0.0/16"},
     0},
    {"an exception", "!192.0.2.1, 192.0.2.0/24", {"192.0.2.0/24"}, 1},
    {"an exception in a table", "cidr:DIR/exception", {"10.0.0.0/8"}, 1},
    {"another type", "hash:/etc/postfix/networks 10.0.0.0/8", {"10.0.0.0/8"}, 1},
    {"a file that is missing", "DIR/nothing", {}, 1},
    {"a name", "example.com", {}, 1},
};

TEST_CASE("mynetworks is read as far as it can be compiled", "[postfix]") {
  const TempDirectory directory;
  write_file(directory.path() / "list",
             "# ours\n10.0.0.0/8 192.0.2.0/24\n\n[2001:db8::]/32\n");
  write_file(directory.path() / "table", "# x\n10.1.0.0/16 OK\n10.2.0.0/16\tyes\n");
  write_file(directory.path() / "exception", "!10.1.0.0/16 no\n10.0.0.0/8 OK\n");
  for (const auto& c : kNetworks) {
    DYNAMIC_SECTION(c.name) {
      std::string value = c.mynetworks;
      if (const auto at = value.find("DIR"); at != std::string::npos) {
        value.replace(at, 3, directory.path().string());
      }
      PostfixSettings settings;
      settings.main["mynetworks"] = value;
      const auto reading = read_site(settings, {}, "/s");
      Strings got;
      for (const auto& one : reading.site.mynetworks) got.push_back(one.str());
      CHECK(got == c.networks);
      CHECK(reading.uncompiled.size() == c.uncompiled);
    }
  }
}

struct OwnNetworksCase {
  const char* name;
  Strings services;  // that the configuration names
  const char* network;
};

const OwnNetworksCase kOwnNetworks[] = {
    {"of port 25", {}, "10.3.0.0/16"},
    {"of the service that is named", {"submission/inet"}, "10.1.0.0/16"},
    {"of main.cf, if no service gets filters", {"2525/inet"}, "10.0.0.0/8"},
};

TEST_CASE("mynetworks is that of the service with the filters", "[postfix]") {
  PostfixSettings settings;
  settings.main["mynetworks"] = "10.0.0.0/8";
  settings.services = {{"submission/inet", "smtpd", {{"mynetworks", "10.1.0.0/16"}}},
                       {"127.0.0.1:25/inet", "smtpd", {{"mynetworks", "10.2.0.0/16"}}},
                       {"smtp/inet", "smtpd", {{"mynetworks", "10.3.0.0/16"}}}};
  for (const auto& c : kOwnNetworks) {
    DYNAMIC_SECTION(c.name) {
      PostfixUse use;
      use.services = c.services;
      const auto reading = read_site(settings, use, "/s");
      REQUIRE(reading.site.mynetworks.size() == 1);
      CHECK(reading.site.mynetworks[0].str() == c.network);
    }
  }
}

TEST_CASE("our own map is no relay_recipient_maps of the site", "[postfix]") {
  PostfixSettings settings;
  settings.main["relay_recipient_maps"] = "cdb:/s/current-postfix/relay_recipients";
  CHECK_FALSE(read_site(settings, {}, "/s").site.has_relay_recipients);
  settings.main["relay_recipient_maps"] += ", hash:/etc/postfix/relay_recipients";
  CHECK(read_site(settings, {}, "/s").site.has_relay_recipients);
}

TEST_CASE("whether relay_domains takes names below a domain is read", "[postfix]") {
  PostfixSettings settings;
  settings.main["parent_domain_matches_subdomains"] = "debug_peer_list,smtpd_access_maps";
  CHECK_FALSE(read_site(settings, {}, "/s").site.parents_match);
  settings.main["parent_domain_matches_subdomains"] = "debug_peer_list,relay_domains";
  CHECK(read_site(settings, {}, "/s").site.parents_match);
}

}  // namespace
}  // namespace mxfeed
