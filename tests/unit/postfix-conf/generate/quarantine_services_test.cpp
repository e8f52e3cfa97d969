// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/quarantine_services.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/generate/main_cf.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using Strings = std::vector<std::string>;

HostConfig host(const char* name, std::initializer_list<const char*> addresses) {
  HostConfig one;
  one.name = name;
  for (const char* const text : addresses) {
    one.addresses.push_back(*IpAddress::parse(text));
  }
  return one;
}

// Three gateways, the first of which holds for all.
GatewayConfig fleet() {
  GatewayConfig gateway;
  gateway.hosts = {host("a.example", {"192.0.2.1", "2001:db8::1"}),
                   host("b.example", {"192.0.2.2"}),
                   host("c.example", {"2001:db8::3", "192.0.2.3"})};
  gateway.quarantine_host.value = "a.example";
  return gateway;
}

// The first words of the services, "2424 inet" or "mxfeed-quarantine unix".
Strings names(const QuarantineSite& site) {
  Strings services, all;
  add_quarantine_services(site, "", services);
  for (const auto& line : services) {
    all.push_back(line.substr(0, line.find(' ', line.find(' ') + 1)));
  }
  return all;
}

std::string line_of(const QuarantineSite& site, std::string_view name) {
  Strings services;
  add_quarantine_services(site, " -o smtp_bind_address=192.0.2.9", services);
  const auto found = std::find_if(services.begin(), services.end(), [&](const auto& one) {
    return one.starts_with(std::string(name) + " ");
  });
  REQUIRE(found != services.end());
  return *found;
}

bool has(std::string_view line, std::string_view option) {
  return (std::string(line) + " ").find(" -o " + std::string(option) + " ") !=
         std::string::npos;
}

TEST_CASE("each host holds its own mail unless one holds for all", "[quarantine]") {
  auto gateway = fleet();
  const Strings own = {"mxfeed-quarantine unix", "mxfeed-release unix"};
  gateway.quarantine_host.value.clear();
  for (const auto& local : gateway.hosts) {
    const auto site = quarantine_site(gateway, &local);
    CHECK_FALSE(site.is_elsewhere());
    CHECK_FALSE(site.has_intake());
    CHECK(names(site) == own);
    std::vector<std::pair<std::string, std::string>> parameters;
    add_quarantine_parameters(site, parameters);
    CHECK(parameters.empty());
  }
}

TEST_CASE("the host that holds for all takes mail from the others only", "[quarantine]") {
  const auto gateway = fleet();
  const auto site = quarantine_site(gateway, &gateway.hosts[0]);
  CHECK_FALSE(site.is_elsewhere());
  CHECK(names(site) == Strings{"mxfeed-quarantine unix", "mxfeed-release unix",
                               "2424 inet", "mxfeed-quarantine-cleanup unix"});
  std::vector<std::pair<std::string, std::string>> parameters;
  add_quarantine_parameters(site, parameters);
  REQUIRE(parameters.size() == 2);
  CHECK(parameters[0].second == "192.0.2.2, [2001:db8::3], 192.0.2.3");
  CHECK(parameters[1].second ==
        "check_recipient_access "
        "regexp:{{/^released\\.[^@]*@quarantine\\.mxfeed\\.invalid$$/ REJECT} "
        "{/@quarantine\\.mxfeed\\.invalid$$/ OK}}, reject");
  const auto intake = line_of(site, "2424 inet");
  for (const char* const option :
       {"mynetworks=$mxfeed_quarantine_clients",
        "smtpd_client_restrictions=permit_mynetworks,defer",
        "smtpd_relay_restrictions=permit_mynetworks,defer",
        "smtpd_recipient_restrictions=$mxfeed_quarantine_recipients", "smtpd_milters=",
        "content_filter=", "smtpd_proxy_filter=", "smtpd_sasl_auth_enable=no",
        "message_size_limit=0"}) {
    CAPTURE(option);
    CHECK(has(intake, option));
  }
}

TEST_CASE("the other hosts deliver what they hold to that one", "[quarantine]") {
  auto gateway = fleet();
  gateway.quarantine_port = 2525;
  // A host that does not know which it is does not hold anything either.
  const std::vector<const HostConfig*> others = {&gateway.hosts[1], &gateway.hosts[2],
                                                 nullptr};
  for (const auto* const local : others) {
    const auto site = quarantine_site(gateway, local);
    CHECK(site.host == "a.example");
    CHECK_FALSE(site.has_intake());
    CHECK(names(site) == Strings{"mxfeed-quarantine unix", "mxfeed-release unix",
                                 "mxfeed-quarantine-host unix"});
    std::vector<std::pair<std::string, std::string>> parameters;
    add_quarantine_parameters(site, parameters);
    REQUIRE(parameters.size() == 1);
    // Receipts stay here.
    CHECK(parameters[0].second ==
          "regexp:{{/^released\\.[^@]*@quarantine\\.mxfeed\\.invalid$$/ "
          "mxfeed-quarantine:unix:mxfeed/quarantine.sock} "
          "{/@quarantine\\.mxfeed\\.invalid$$/ "
          "mxfeed-quarantine-host:[192.0.2.1]:2525, [2001:db8::1]:2525}}");
    const auto transport = line_of(site, "mxfeed-quarantine-host");
    for (const char* const option :
         {"soft_bounce=yes", "smtp_bind_address=192.0.2.9", "smtp_line_length_limit=0",
          "smtp_header_checks=", "disable_mime_output_conversion=yes",
          "smtp_generic_maps=", "smtp_tls_security_level=may"}) {
      CAPTURE(option);
      CHECK(has(transport, option));
    }
    MainCfNeeds needs;
    needs.state = "/s";
    needs.quarantine = site;
    const auto all = main_cf_parameters(needs);
    const auto transports = std::find_if(all.begin(), all.end(), [](const auto& one) {
      return one.first == "transport_maps";
    });
    REQUIRE(transports != all.end());
    CHECK(transports->second ==
          "cdb:/s/keeper/transport, $mxfeed_delivery_quarantine, "
          "cdb:/s/current-postfix/transport");
  }
}

TEST_CASE("a host alone needs no intake", "[quarantine]") {
  auto gateway = fleet();
  gateway.hosts.resize(1);
  CHECK_FALSE(quarantine_site(gateway, &gateway.hosts[0]).has_intake());
}

TEST_CASE("the port of the intake is found among services", "[quarantine]") {
  const auto gateway = fleet();
  for (std::size_t i = 0; i < gateway.hosts.size(); ++i) {
    const auto services = master_cf_services(
        {.state = "/s", .quarantine = quarantine_site(gateway, &gateway.hosts[i])});
    CHECK(intake_port_of(services) == (i == 0 ? "2424" : ""));
  }
}

}  // namespace
}  // namespace mxfeed
