// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/main_cf.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

std::string parameter(const std::vector<std::pair<std::string, std::string>>& all,
                      std::string_view name) {
  for (const auto& [key, value] : all) {
    if (key == name) return value;
  }
  return "absent";
}

TEST_CASE("Postfix's limits are above those of every domain", "[postfix-conf]") {
  MainCfNeeds needs;
  needs.state = "/s";
  needs.dedicated = true;
  needs.largest_message = 51'200'000;
  const auto small = main_cf_parameters(needs);
  CHECK(parameter(small, "maximal_queue_lifetime") == "100d");
  CHECK(parameter(small, "message_size_limit") == "51200000");
  CHECK(parameter(small, "mailbox_size_limit") == "absent");
  CHECK(parameter(small, "smtp_bind_address") == "absent");
  needs.smtputf8 = true;
  needs.largest_message = 51'200'001;
  const auto large = main_cf_parameters(needs);
  CHECK(parameter(large, "maximal_queue_lifetime") == "100d");
  CHECK(parameter(large, "bounce_queue_lifetime") == "100d");
  CHECK(parameter(large, "mailbox_size_limit") == "0");
  CHECK(parameter(small, "smtpd_discard_ehlo_keywords") == "silent-discard, smtputf8");
  CHECK(parameter(large, "smtpd_discard_ehlo_keywords").empty());
  const auto number = [&](const char* name) { return std::stoi(parameter(small, name)); };
  CHECK(number("smtpd_soft_error_limit") > number("smtpd_recipient_limit"));
  CHECK(number("smtpd_hard_error_limit") > number("smtpd_recipient_limit"));
}

TEST_CASE("block lists are classes, asked after role accounts and trusted clients",
          "[postfix-conf]") {
  MainCfNeeds needs;
  needs.state = "/s";
  needs.blocklists = {"a.example=127.0.0.2", "b.example=127.0.0.[2..11]"};
  const auto all = main_cf_parameters(needs);
  CHECK(parameter(all, "smtpd_restriction_classes") ==
        "mxfeed_blocklist, mxfeed_reject_listed, mxfeed_callout, mxfeed_ask_recipients, "
        "mxfeed_callout_defer, mxfeed_ask_recipients_defer");
  CHECK(parameter(all, "mxfeed_blocklist") ==
        "check_recipient_access regexp:{{!/^(postmaster|abuse)@/ mxfeed_reject_listed}}");
  CHECK(parameter(all, "mxfeed_reject_listed") ==
        "permit_mynetworks, permit_sasl_authenticated, "
        "reject_rbl_client a.example=127.0.0.2, "
        "reject_rbl_client b.example=127.0.0.[2..11]");
  // Without lists the classes are there too.
  needs.blocklists.clear();
  CHECK(parameter(main_cf_parameters(needs), "mxfeed_reject_listed") ==
        "permit_mynetworks, permit_sasl_authenticated");
}

TEST_CASE("classes of call-outs ask mxfeed-recipients about all but roles",
          "[postfix-conf]") {
  MainCfNeeds needs;
  needs.state = "/s";
  const auto all = main_cf_parameters(needs);
  CHECK(
      parameter(all, "mxfeed_callout") ==
      "check_recipient_access regexp:{{!/^(postmaster|abuse)@/ mxfeed_ask_recipients}}");
  CHECK(
      parameter(all, "mxfeed_ask_recipients") ==
      "check_policy_service { unix:mxfeed/recipients.sock, timeout=20s, "
      "policy_context=accept, { default_action=450 4.3.0 recipient cannot be verified at "
      "present, try again later } }");
  CHECK(parameter(all, "mxfeed_callout_defer") ==
        "check_recipient_access "
        "regexp:{{!/^(postmaster|abuse)@/ mxfeed_ask_recipients_defer}}");
  CHECK(parameter(all, "mxfeed_ask_recipients_defer").find("policy_context=defer") !=
        std::string::npos);
}

TEST_CASE("limits of deliveries are those of our transports", "[postfix-conf]") {
  MainCfNeeds needs;
  needs.state = "/s";
  CHECK(parameter(main_cf_parameters(needs),
                  "mxfeed-relay_destination_concurrency_limit") == "absent");
  needs.connections = 5;
  needs.rate_delay = std::chrono::seconds(2);
  const auto all = main_cf_parameters(needs);
  for (const std::string transport : {"mxfeed-relay", "mxfeed-soft"}) {
    CHECK(parameter(all, transport + "_destination_concurrency_limit") == "5");
    CHECK(parameter(all, transport + "_destination_rate_delay") == "2s");
  }
}

TEST_CASE("the provider's postmaster has a transport that submits mail again",
          "[postfix-conf]") {
  const auto without = master_cf_services({.state = "/s"});
  CHECK_FALSE(has_provider(without));
  const auto with =
      master_cf_services({.state = "/s", .postmaster = "postmaster@isp.example"});
  CHECK(has_provider(with));
  REQUIRE(with.size() == without.size() + 1);
  CHECK(with.at(2) ==
        "mxfeed-provider unix - n n - - pipe -o syslog_name=postfix/$service_name "
        "-o soft_bounce=yes flags=q null_sender= user=nobody argv=/usr/sbin/sendmail -G "
        "-i -N never -f ${sender} -- postmaster@isp.example");
  CHECK_FALSE(has_provider({"mxfeed-providers unix - n n - - pipe"}));
}

// The transports to customers' servers.
std::vector<std::string> relays(const MasterCfNeeds& needs) {
  auto services = master_cf_services(needs);
  REQUIRE(services.size() > 2);
  services.resize(2);
  CHECK(services[0].starts_with("mxfeed-relay "));
  CHECK(services[1].starts_with("mxfeed-soft "));
  return services;
}

TEST_CASE("our transports have TLS of their own, from both addresses", "[postfix-conf]") {
  HostConfig host;
  for (const char* const text : {"192.0.2.1", "2001:db8::1", "192.0.2.2"}) {
    host.addresses.push_back(*IpAddress::parse(text));
  }
  const auto plain = relays({.state = "/s"});
  const auto has = [](const std::string& line, std::string_view part) {
    return line.find(part) != std::string::npos;
  };
  for (const auto& line : plain) {
    CHECK(has(line, " -o smtp_tls_policy_maps=cdb:/s/current-postfix/tls_policy"));
    CHECK(has(line, " -o smtp_tls_security_level=may"));
    CHECK(has(line, " -o smtp_header_checks=$mxfeed_delivery_header_checks"));
    CHECK_FALSE(has(line, "CAfile"));
    CHECK_FALSE(has(line, "bind"));
  }
  for (const auto& line :
       relays({.state = "/s", .local = &host, .uses_authorities = true})) {
    CHECK(has(line, " -o smtp_tls_CAfile=/etc/ssl/certs/ca-certificates.crt"));
    CHECK(has(line, " -o smtp_bind_address=192.0.2.1 -o smtp_bind_address6=2001:db8::1"));
  }
}

TEST_CASE("our transports know the addresses of all gateways", "[postfix-conf]") {
  MainCfNeeds needs;
  needs.state = "/s";
  needs.hosts = {{"a.example",
                  {},
                  {*IpAddress::parse("192.0.2.1"), *IpAddress::parse("2001:db8::1")}},
                 {"b.example", {}, {*IpAddress::parse("192.0.2.2")}}};
  CHECK(parameter(main_cf_parameters(needs), "mxfeed_delivery_gateways") ==
        "192.0.2.1, [2001:db8::1], 192.0.2.2");
  for (const auto& line : relays({.state = "/s"})) {
    CHECK(line.find(" -o proxy_interfaces=$mxfeed_delivery_gateways,"
                    "$mxfeed_delivery_proxies ") != std::string::npos);
  }
}

TEST_CASE("on a Postfix with other uses only what is ours is set", "[postfix-conf]") {
  MainCfNeeds needs;
  needs.state = "/s";
  needs.verifiers = {"inet:localhost:8891"};
  needs.sealers = {"{ unix:seal, default_action=accept }"};
  std::vector<std::string> names;
  const auto all = main_cf_parameters(needs);
  for (const auto& [name, value] : all) names.push_back(name);
  CHECK(names == std::vector<std::string>{
                     "relay_domains", "transport_maps", "mxfeed_smtpd_milters",
                     "mxfeed_recipient_restrictions", "mxfeed_etrn_restrictions",
                     "smtpd_restriction_classes", "mxfeed_blocklist",
                     "mxfeed_reject_listed", "mxfeed_callout", "mxfeed_ask_recipients",
                     "mxfeed_callout_defer", "mxfeed_ask_recipients_defer",
                     "mxfeed_delivery_gateways", "mxfeed_delivery_dns_filter",
                     "mxfeed_delivery_status_filter", "mxfeed_delivery_header_checks"});
  const auto milters = parameter(all, "mxfeed_smtpd_milters");
  CHECK(milters.starts_with("inet:localhost:8891, { unix:mxfeed/greylist.sock,"));
  CHECK(milters.ends_with(" }, { unix:seal, default_action=accept }"));
}

TEST_CASE("notices of a dedicated Postfix do not name the customers' servers",
          "[postfix-conf]") {
  MainCfNeeds needs;
  needs.state = "/s";
  CHECK(parameter(main_cf_parameters(needs), "mxfeed_delivery_notice_checks") ==
        "absent");
  CHECK_FALSE(has_notices(master_cf_services({.state = "/s"})));
  needs.dedicated = true;
  const auto all = main_cf_parameters(needs);
  CHECK(parameter(all, "mxfeed_delivery_notice_checks").starts_with("regexp:{{/"));
  CHECK(parameter(all, "mxfeed_delivery_notice_service") == "mxfeed-notices");
  CHECK(parameter(all, "mxfeed_delivery_notice_classes") == "bounce");
  const auto services = master_cf_services({.state = "/s", .dedicated = true});
  CHECK(has_notices(services));
  CHECK(*std::find_if(
            services.begin(), services.end(),
            [](const auto& line) { return line.starts_with("mxfeed-notices "); }) ==
        "mxfeed-notices unix n - n - 0 cleanup -o "
        "body_checks=$mxfeed_delivery_notice_checks -o body_checks_size_limit=0 "
        "-o header_checks= -o mime_header_checks= -o nested_header_checks= "
        "-o non_smtpd_milters=");
}

TEST_CASE("mailboxes have a transport, where mail waits if it is refused",
          "[postfix-conf]") {
  const auto services = master_cf_services({.state = "/s"});
  REQUIRE(services.size() >= 3);
  const auto& transport = services[services.size() - 3];
  CHECK(transport.starts_with("mxfeed-mailbox unix - - y - - lmtp "));
  CHECK(transport.find(" -o soft_bounce=yes ") != std::string::npos);
}

TEST_CASE("the quarantine has a transport, and a service without filters",
          "[postfix-conf]") {
  const auto services = master_cf_services({.state = "/s"});
  REQUIRE(services.size() >= 2);
  const auto& transport = services[services.size() - 2];
  CHECK(transport.starts_with("mxfeed-quarantine unix - - y - - lmtp "));
  CHECK(transport.find(" -o soft_bounce=yes ") != std::string::npos);
  CHECK(transport.find(" -o lmtp_line_length_limit=0 ") != std::string::npos);
  const auto& release = services.back();
  // On a unix socket in private/, one client at a time.
  CHECK(release.starts_with("mxfeed-release unix - - y - 1 smtpd "));
  for (const char* const option :
       {"smtpd_milters=", "content_filter=", "smtpd_proxy_filter="}) {
    CAPTURE(option);
    CHECK(release.find(std::string(" -o ") + option + " ") != std::string::npos);
  }
}

TEST_CASE("a generation is made to fit another site", "[postfix-conf]") {
  Generated made;
  made.policies.resize(1);
  const auto own = *Network::parse("192.0.2.0/24");
  const auto theirs = *Network::parse("198.51.100.0/24");
  made.gateway.trusted_networks = {own};
  Site site;
  site.has_relay_recipients = true;
  // Also a network that the configuration names.
  site.mynetworks = {theirs, own};
  site.proxies = "192.0.2.9, 192.0.2.10";
  fit_site(made, site, "/s");
  fit_site(made, site, "/s");
  CHECK(made.gateway.trusted_networks == std::vector<Network>{own, theirs, own});
  CHECK(parameter(made.main_cf, "relay_recipient_maps") ==
        "cdb:/s/current-postfix/relay_recipients, "
        "regexp:/s/current-postfix/relay_recipients.regexp");
  CHECK(parameter(made.main_cf, "mxfeed_delivery_proxies") == "192.0.2.9, 192.0.2.10");
  CHECK(made.main_cf.size() == 2);
  CHECK(made.site == site);
  fit_site(made, {}, "/s");
  CHECK(made.gateway.trusted_networks == std::vector<Network>{own});
  CHECK(parameter(made.main_cf, "mxfeed_delivery_proxies").empty());
  CHECK(made.main_cf.size() == 1);
  // A dedicated one is set as we need it.
  made.use.dedicated = true;
  fit_site(made, site, "/s");
  CHECK(parameter(made.main_cf, "mxfeed_delivery_proxies") == "192.0.2.9, 192.0.2.10");
  CHECK(made.main_cf.size() == 1);
  CHECK_FALSE(made.site.has_relay_recipients);
  CHECK(made.site.mynetworks == site.mynetworks);
}

TEST_CASE("what version 0.1.0 wrote is for a dedicated Postfix", "[postfix-conf]") {
  Generated made;
  made.policies.resize(1);
  made.main_cf = {{"relay_transport", "retry:x"},
                  {"milter_default_action", "tempfail"},
                  {"smtpd_milters", "unix:mxfeed/virus.sock"},
                  {"smtp_bind_address", "192.0.2.1"}};
  made.master_cf = {"relaysoft unix - - y - - smtp -o soft_bounce=yes"};
  upgrade_main_cf(made);
  REQUIRE(made.main_cf.size() == 2);
  CHECK(made.main_cf[0].first == "relay_transport");
  CHECK(made.main_cf[1].first == "mxfeed_smtpd_milters");
  REQUIRE(made.master_cf.size() == 2);
  CHECK(made.master_cf[0].ends_with(" -o smtp_bind_address=192.0.2.1"));
  CHECK(made.master_cf[1].starts_with("mxfeed-soft "));
  CHECK(made.use.dedicated);
  const auto once = made.main_cf;
  upgrade_main_cf(made);
  CHECK(made.main_cf == once);
}

}  // namespace
}  // namespace mxfeed
