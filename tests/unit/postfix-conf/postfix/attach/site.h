// SPDX-License-Identifier: GPL-2.0-or-later
//
// A Postfix with other uses, for the tests of this folder.

#pragma once

#include <string>

#include "postfix-conf/postfix/attach/survey.h"

namespace mxfeed::test {

inline constexpr const char* kMainCf =
    "# the site's\n"
    "compatibility_level = 3.6\n"
    "relay_domains = hash:/etc/postfix/relay,\n"
    "  old.example\n"
    "# between\n"
    "transport_maps = hash:/etc/postfix/transport\n"
    "smtpd_milters = inet:localhost:8891\n";

inline constexpr const char* kMasterCf =
    "smtp      inet  n       -       y       -       -       smtpd\n"
    "submission inet n       -       y       -       -       smtpd\n"
    "  -o syslog_name=postfix/submission\n"
    "127.0.0.1:10025 inet n  -       y       -       -       smtpd\n"
    "  -o smtpd_milters=\n"
    "relay     unix  -       -       y       -       -       smtp\n";

inline PostfixFiles files() {
  return {kMainCf, kMasterCf};
}

// What postconf(1) says of it.
inline PostfixSettings site() {
  PostfixSettings settings;
  settings.config = "/p";
  settings.main = {
      {"relay_domains", "hash:/etc/postfix/relay, old.example"},
      {"transport_maps", "hash:/etc/postfix/transport"},
      {"smtpd_milters", "inet:localhost:8891"},
      {"mydestination", "mail.example, localhost"},
      {"mynetworks", "127.0.0.0/8"},
      {"smtpd_relay_restrictions", "permit_mynetworks, reject_unauth_destination"},
      {"smtpd_recipient_limit", "1000"},
      {"smtpd_soft_error_limit", "10"},
      {"smtpd_hard_error_limit", "20"},
      {"message_size_limit", "10240000"},
      {"maximal_queue_lifetime", "5d"},
      {"parent_domain_matches_subdomains", "debug_peer_list, smtpd_access_maps"},
      {"queue_directory", "/var/spool/postfix"},
  };
  settings.services = {
      {"smtp/inet", "smtpd", {}},
      {"submission/inet",
       "smtpd",
       {{"syslog_name", "postfix/submission"},
        {"smtpd_relay_restrictions", "permit_sasl_authenticated, reject"}}},
      {"127.0.0.1:10025/inet", "smtpd", {{"smtpd_milters", ""}}},
      {"relay/unix", "smtp", {}},
  };
  settings.map_types = {"cdb", "hash", "regexp"};
  return settings;
}

inline constexpr const char* kMilters =
    "inet:localhost:8891, { unix:mxfeed/greylist.sock, default_action=accept }, "
    "{ unix:mxfeed/virus.sock, default_action=tempfail }";

inline PostfixNeeds needs() {
  PostfixNeeds needs;
  needs.main_cf = {{"relay_domains", "cdb:/s/current-postfix/relay_domains"},
                   {"transport_maps", "cdb:/s/current-postfix/transport"},
                   {"mxfeed_smtpd_milters", kMilters}};
  needs.master_cf = {"mxfeed-relay unix - - y - - smtp -o smtp_fallback_relay=",
                     "mxfeed-soft unix - - y - - smtp -o soft_bounce=yes"};
  return needs;
}

inline PostfixNeeds dedicated_needs() {
  PostfixNeeds all = needs();
  all.use.dedicated = true;
  all.main_cf.insert(all.main_cf.end(), {{"relay_recipient_maps", ""},
                                         {"relay_transport", "retry:4.3.5 no route"},
                                         {"maximal_queue_lifetime", "10d"},
                                         {"smtpd_recipient_limit", "1000"},
                                         {"smtpd_soft_error_limit", "1100"},
                                         {"smtpd_hard_error_limit", "1200"}});
  return all;
}

inline constexpr const char* kIntake =
    "2424 inet n - y - - smtpd -o syslog_name=postfix/mxfeed-quarantine-intake "
    "-o mynetworks=$mxfeed_quarantine_clients";

// Of a host that holds mail for others, and of one of those.
inline PostfixNeeds quarantine_host_needs() {
  PostfixNeeds all = needs();
  all.main_cf.emplace_back("mxfeed_quarantine_clients", "192.0.2.2");
  all.master_cf.emplace_back(kIntake);
  all.master_cf.emplace_back("mxfeed-quarantine unix - - y - - lmtp");
  return all;
}

inline PostfixNeeds other_host_needs() {
  PostfixNeeds all = needs();
  all.main_cf[1].second = "$mxfeed_delivery_quarantine, cdb:/s/current-postfix/transport";
  all.main_cf.emplace_back("mxfeed_delivery_quarantine",
                           "regexp:{{/@q$$/ mxfeed-quarantine-host:[192.0.2.1]:2424}}");
  all.master_cf.emplace_back("mxfeed-quarantine-host unix - - y - - smtp");
  return all;
}

// Of a generation whose notices hide the customers' servers.
inline PostfixNeeds notice_needs() {
  PostfixNeeds all = dedicated_needs();
  all.main_cf.insert(all.main_cf.end(),
                     {{"mxfeed_delivery_notice_service", "mxfeed-notices"},
                      {"mxfeed_delivery_notice_classes", "bounce"},
                      {"mxfeed_delivery_notice_checks", "regexp:{{/x/ IGNORE}}"}});
  all.master_cf.push_back("mxfeed-notices unix n - n - 0 cleanup -o header_checks=");
  return all;
}

inline constexpr const char* kBounceServices =
    "bounce    unix  -       -       y       -       0       bounce\n"
    "defer     unix  -       -       y       -       0       bounce\n"
    "  -o syslog_name=postfix/defer\n"
    "trace     unix  -       -       y       -       0       bounce\n";

// The site above with the services that write notices.
inline PostfixFiles files_with_bounce() {
  return {kMainCf, std::string(kMasterCf) + kBounceServices};
}

inline PostfixSettings site_with_bounce() {
  PostfixSettings settings = site();
  settings.main["cleanup_service_name"] = "cleanup";
  settings.main["internal_mail_filter_classes"] = "";
  settings.services.push_back({"bounce/unix", "bounce", {}});
  settings.services.push_back(
      {"defer/unix", "bounce", {{"syslog_name", "postfix/defer"}}});
  settings.services.push_back({"trace/unix", "bounce", {}});
  return settings;
}

}  // namespace mxfeed::test
