// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/effects.h"

#include <algorithm>

#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/postfix/attach/site.h"

namespace mxfeed {
namespace {

using Strings = std::vector<std::string>;

bool has(const Strings& lines, std::string_view text) {
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    return line.find(text) != std::string::npos;
  });
}

TEST_CASE("what other mail notices is told", "[attach]") {
  const auto plan = plan_attach(test::files(), test::site(), test::needs());
  const auto lines = also_affects(test::site(), test::needs(), plan);
  CHECK(lines.size() == 4);
  CHECK(has(lines, "smtp/inet: each mail waits"));
  CHECK(has(lines, "smtp/inet: mail is deferred (451)"));
  CHECK(has(lines, "smtp/inet: smtpd_soft_error_limit is raised from 10"));
  CHECK_FALSE(has(lines, "60000"));
  PostfixSettings own = test::site();
  own.services[0].options["smtpd_soft_error_limit"] = "7";
  CHECK(has(also_affects(own, test::needs(), plan),
            "smtp/inet: smtpd_soft_error_limit is raised from 7"));
  PostfixSettings bare = test::site();
  bare.main["smtpd_milters"] = "";
  CHECK(has(also_affects(bare, test::needs(), plan), "longer than 60000 bytes"));
}

TEST_CASE("on a dedicated Postfix every global parameter is told", "[attach]") {
  const auto needs = test::dedicated_needs();
  const auto plan = plan_attach(test::files(), test::site(), needs);
  const auto lines = also_affects(test::site(), needs, plan);
  CHECK(
      has(lines, "main.cf: relay_transport: (default) -> retry:4.3.5 no route, for all"));
  CHECK_FALSE(has(lines, "main.cf: transport_maps"));
}

TEST_CASE("notices that name the customers' servers are told", "[attach]") {
  auto site = test::site_with_bounce();
  const auto needs = test::notice_needs();
  CHECK(not_in_force(site, needs).empty());
  CHECK(
      has(also_affects(site, needs, plan_attach(test::files_with_bounce(), site, needs)),
          "master.cf: bounce/unix: notices to senders do not name"));
  site.services.back().options["internal_mail_filter_classes"] = "bounce";
  CHECK(not_in_force(site, needs) ==
        Strings{"trace/unix: -o internal_mail_filter_classes=bounce: its notices to "
                "senders name the customers' servers"});
  site.main["internal_mail_filter_classes"] = "bounce";
  CHECK(not_in_force(site, needs).size() == 3);
  CHECK(has(not_in_force(site, needs), "bounce/unix: internal_mail_filter_classes="));
  CHECK(not_in_force(site, test::needs()).empty());
}

TEST_CASE("checks of the site that meet mail for our domains are listed", "[attach]") {
  PostfixSettings settings = test::site();
  settings.main["smtpd_recipient_restrictions"] =
      "permit_mynetworks, reject_rbl_client zen.example, check_policy_service "
      "unix:private/postgrey, reject_unauth_destination";
  settings.main["header_checks"] = "regexp:/h";
  settings.main["mime_header_checks"] = "regexp:/h";
  settings.main["always_bcc"] = "archive@mail.example";
  settings.services[0].options["content_filter"] = "smtp-amavis:[127.0.0.1]:10024";
  settings.services[1].options["smtpd_client_restrictions"] = "reject_rbl_client x";
  CHECK(
      strikes(settings, test::needs()) ==
      Strings{"smtpd_recipient_restrictions: reject_rbl_client zen.example",
              "smtpd_recipient_restrictions: check_policy_service unix:private/postgrey",
              "smtp/inet: -o content_filter: smtp-amavis:[127.0.0.1]:10024",
              "header_checks: regexp:/h", "always_bcc: archive@mail.example"});
}

TEST_CASE("what the site demands of every server that it delivers to is listed",
          "[attach]") {
  PostfixSettings settings = test::site();
  CHECK(strikes(settings, test::needs()).empty());
  settings.main["soft_bounce"] = "yes";
  // Our transports have their own.
  settings.main["smtp_tls_security_level"] = "encrypt";
  settings.main["smtp_tls_policy_maps"] = "hash:/t";
  const auto lines = strikes(settings, test::needs());
  CHECK(lines.size() == 1);
  CHECK(has(lines, "soft_bounce: yes"));
}

TEST_CASE("a lifetime above that of the site is not in force", "[attach]") {
  PostfixNeeds needs = test::needs();
  needs.use.longest_lifetime = std::chrono::hours(24 * 5);
  CHECK(not_in_force(test::site(), needs).empty());
  needs.use.longest_lifetime = std::chrono::hours(24 * 10);
  CHECK(has(not_in_force(test::site(), needs),
            "queue_lifetime: 10d: mail is returned after 5d"));
  PostfixSettings settings = test::site();
  settings.main["maximal_queue_lifetime"] = "11";  // days
  CHECK(not_in_force(settings, needs).empty());
  needs.use.dedicated = true;
  CHECK(not_in_force(test::site(), needs).empty());
}

}  // namespace
}  // namespace mxfeed
