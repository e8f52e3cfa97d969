// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/entrances.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct EntranceCase {
  const char* name;
  const char* service;
  Parameters options;
  bool takes;
};

const char* const kRelay = "smtpd_relay_restrictions";
const char* const kRecipient = "smtpd_recipient_restrictions";
const char* const kProxy = "smtpd_upstream_proxy_protocol";

const EntranceCase kEntrances[] = {
    {"submission without restrictions of its own", "submission/inet", {}, true},
    {"submission",
     "submission/inet",
     {{kRelay, "permit_sasl_authenticated,reject"}},
     false},
    {"submission of recipients",
     "465/inet",
     {{kRecipient, "permit_sasl_authenticated, permit_mynetworks, reject"}},
     false},
    {"submission of clients",
     "587/inet",
     {{"smtpd_client_restrictions", "permit_sasl_authenticated,reject"}},
     false},
    {"strangers to our domains only",
     "2525/inet",
     {{kRelay, "permit_sasl_authenticated, reject_unauth_destination"}},
     true},
    {"strangers before the end",
     "2525/inet",
     {{kRelay, "permit_mynetworks, permit_auth_destination, reject"}},
     true},
    {"strangers by the other list",
     "2525/inet",
     {{kRelay, "permit_auth_destination, reject"},
      {kRecipient, "permit_mynetworks,reject"}},
     false},
    {"a refusal that only warns",
     "2525/inet",
     {{kRelay, "permit_mynetworks, warn_if_reject reject"}},
     true},
    {"a refusal behind one that only warns",
     "2525/inet",
     {{kRelay, "warn_if_reject reject_unknown_client_hostname, reject"}},
     false},
    {"all are refused by a table",
     "2525/inet",
     {{"smtpd_client_restrictions", "check_client_access static:REJECT"}},
     false},
    {"all are let in by a table",
     "2525/inet",
     {{kRelay, "check_client_access static:OK, reject"}},
     true},
    {"a class of restrictions", "2525/inet", {{kRelay, "logins"}}, false},
    {"a login by certificate", "2525/inet", {{"smtpd_tls_req_ccert", "yes"}}, false},
    {"where mail comes back", "127.0.0.1:10025/inet", {}, false},
    {"behind a proxy", "127.0.0.1:10025/inet", {{kProxy, "haproxy"}}, true},
    {"port 25 behind a proxy", "127.0.0.1:25/inet", {{kProxy, "haproxy"}}, true},
    {"submission behind a proxy",
     "127.0.0.1:587/inet",
     {{kProxy, "haproxy"}, {kRelay, "permit_sasl_authenticated, reject"}},
     false},
    {"port 25, which is examined otherwise", "smtp/inet", {}, false},
    {"behind postscreen", "smtpd/pass", {}, false},
};

TEST_CASE("other services that take mail of strangers are known", "[postfix]") {
  PostfixSettings settings;
  settings.main = {
      {kRelay, "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination"},
      {"smtpd_restriction_classes", "endless, logins"},
      {"logins", "permit_sasl_authenticated, endless, reject"},
      {"endless", "endless"}};
  for (const auto& c : kEntrances) {
    DYNAMIC_SECTION(c.name) {
      CHECK(takes_strangers_mail(settings, {c.service, "smtpd", c.options}) == c.takes);
    }
  }
  CHECK_FALSE(takes_strangers_mail(settings, {"2525/inet", "postscreen", {}}));
}

}  // namespace
}  // namespace mxfeed
