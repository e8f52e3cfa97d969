// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/plan.h"

#include <algorithm>

#include "postfix-conf/postfix/main_cf_text.h"
#include "postfix-conf/postfix/master_cf_text.h"
#include "tests/support/catch.h"
#include "tests/unit/postfix-conf/postfix/attach/site.h"

namespace mxfeed {
namespace {

using test::files;
using test::needs;
using test::site;
using Strings = std::vector<std::string>;

std::string value(const PostfixFiles& files, std::string_view name) {
  return MainCf(files.main_cf, is_ours).value(name).value_or("absent");
}

std::string option(const PostfixFiles& files, std::string_view service,
                   std::string_view name) {
  for (const auto& one : MasterCf(files.master_cf, is_ours).services()) {
    if (one.name != service) continue;
    const auto found = one.options.find(name);
    return found == one.options.end() ? "absent" : found->second;
  }
  return "no service";
}

Strings subjects(const Plan& plan) {
  Strings all;
  for (const auto& change : plan.changes) all.push_back(change.subject());
  std::sort(all.begin(), all.end());
  return all;
}

TEST_CASE("a Postfix with other uses gets nothing but what is ours", "[attach]") {
  const Plan plan = plan_attach(files(), site(), needs());
  CHECK(subjects(plan) ==
        Strings{"main.cf: mxfeed_hard_error_limit", "main.cf: mxfeed_smtpd_milters",
                "main.cf: mxfeed_soft_error_limit", "main.cf: relay_domains",
                "main.cf: transport_maps", "master.cf: mxfeed-relay/unix",
                "master.cf: mxfeed-soft/unix",
                "master.cf: smtp/inet: -o smtpd_hard_error_limit",
                "master.cf: smtp/inet: -o smtpd_milters",
                "master.cf: smtp/inet: -o smtpd_soft_error_limit"});
  for (const auto& change : plan.changes) CHECK_FALSE(change.reason.empty());
}

TEST_CASE("the site's items come first", "[attach]") {
  const Plan plan = plan_attach(files(), site(), needs());
  CHECK(MainCf(plan.last.main_cf, is_ours)
            .value("relay_domains")
            .value()
            .ends_with("old.example, cdb:/s/current-postfix/relay_domains"));
  CHECK(value(plan.last, "transport_maps") ==
        "hash:/etc/postfix/transport, cdb:/s/current-postfix/transport");
  CHECK(value(plan.last, "smtpd_milters") == "inet:localhost:8891");
}

TEST_CASE("a list that the site has by default stays part of it", "[attach]") {
  const PostfixFiles now = {"compatibility_level = 0\n", test::kMasterCf};
  PostfixSettings settings = site();
  settings.main["relay_domains"] = settings.main["mydestination"];
  settings.main["transport_maps"] = "";
  const Plan plan = plan_attach(now, settings, needs());
  CHECK(value(plan.last, "relay_domains") ==
        "$mydestination, cdb:/s/current-postfix/relay_domains");
  CHECK(value(plan.last, "transport_maps") == "cdb:/s/current-postfix/transport");
}

TEST_CASE("filters stand where mail of strangers comes in and nowhere else", "[attach]") {
  const Plan plan = plan_attach(files(), site(), needs());
  CHECK(option(plan.last, "smtp/inet", "smtpd_milters") == "$mxfeed_smtpd_milters");
  CHECK(option(plan.last, "submission/inet", "smtpd_milters") == "absent");
  CHECK(option(plan.last, "127.0.0.1:10025/inet", "smtpd_milters").empty());
}

TEST_CASE("behind postscreen the service that it hands clients to has the filters",
          "[attach]") {
  const PostfixFiles now = {test::kMainCf,
                            "smtp inet n - y - 1 postscreen\n"
                            "smtpd pass - - y - - smtpd\n"};
  PostfixSettings settings = site();
  settings.services = {{"smtp/inet", "postscreen", {}}, {"smtpd/pass", "smtpd", {}}};
  const Plan plan = plan_attach(now, settings, needs());
  CHECK(option(plan.last, "smtp/inet", "smtpd_milters") == "absent");
  CHECK(option(plan.last, "smtpd/pass", "smtpd_milters") == "$mxfeed_smtpd_milters");
}

TEST_CASE("the configuration may name the services", "[attach]") {
  PostfixNeeds wanted = needs();
  wanted.use.services = {"127.0.0.1:10025/inet"};
  const Plan plan = plan_attach(files(), site(), wanted);
  CHECK(option(plan.last, "smtp/inet", "smtpd_milters") == "absent");
  CHECK(option(plan.last, "127.0.0.1:10025/inet", "smtpd_milters") ==
        "$mxfeed_smtpd_milters");
}

PostfixNeeds needs_with_restrictions() {
  PostfixNeeds all = needs();
  all.main_cf.insert(
      all.main_cf.end(),
      {{"mxfeed_recipient_restrictions", "check_recipient_access cdb:/s/access"},
       {"mxfeed_etrn_restrictions", "check_client_access cdb:/s/etrn"},
       {"smtpd_restriction_classes", "mxfeed_blocklist, mxfeed_reject_listed"},
       {"mxfeed_blocklist", "permit"}});
  return all;
}

TEST_CASE("our restrictions come before a copy of the site's", "[attach]") {
  const std::string main_cf = std::string(test::kMainCf) +
                              "site_list = reject_non_fqdn_recipient\n"
                              "smtpd_recipient_restrictions = $site_list,\n"
                              "  reject_unknown_recipient_domain\n"
                              "smtpd_restriction_classes = strict\n";
  const PostfixFiles now = {main_cf,
                            "smtp inet n - y - - smtpd\n"
                            "smtpd pass - - y - - smtpd\n"
                            "  -o smtpd_recipient_restrictions=$site_list,reject\n"
                            "submission inet n - y - - smtpd\n"};
  PostfixSettings settings = site();
  settings.main["smtpd_recipient_restrictions"] =
      "reject_non_fqdn_recipient, reject_unknown_recipient_domain";
  settings.main["smtpd_restriction_classes"] = "strict";
  settings.services = {
      {"smtp/inet", "smtpd", {}},
      {"smtpd/pass",
       "smtpd",
       {{"smtpd_recipient_restrictions", "reject_non_fqdn_recipient,reject"}}},
      {"submission/inet", "smtpd", {}}};
  const Plan plan = plan_attach(now, settings, needs_with_restrictions());
  CHECK(option(plan.last, "smtp/inet", "smtpd_recipient_restrictions") ==
        "$mxfeed_recipient_restrictions");
  CHECK(value(plan.last, "mxfeed_recipient_restrictions") ==
        "check_recipient_access cdb:/s/access, "
        "$site_list,reject_unknown_recipient_domain");
  CHECK(option(plan.last, "smtpd/pass", "smtpd_recipient_restrictions") ==
        "$mxfeed_recipient_restrictions_smtpd_pass");
  CHECK(value(plan.last, "mxfeed_recipient_restrictions_smtpd_pass") ==
        "check_recipient_access cdb:/s/access, $site_list,reject");
  CHECK(option(plan.last, "smtp/inet", "smtpd_etrn_restrictions") ==
        "$mxfeed_etrn_restrictions");
  CHECK(value(plan.last, "mxfeed_etrn_restrictions") ==
        "check_client_access cdb:/s/etrn");
  CHECK(option(plan.last, "submission/inet", "smtpd_recipient_restrictions") == "absent");
  CHECK(value(plan.last, "smtpd_restriction_classes") ==
        "strict, mxfeed_blocklist, mxfeed_reject_listed");
  for (const auto& change : plan.changes) CHECK_FALSE(change.reason.empty());
  // A second time nothing changes, and it can be undone to the byte.
  CHECK(plan_attach(plan.last, settings, needs_with_restrictions()).changes.empty());
  CHECK(plan_detach(plan.last, Routes::remove).last == now);
}

TEST_CASE("a list that the site changes is copied again", "[attach]") {
  const Plan plan = plan_attach(files(), site(), needs_with_restrictions());
  PostfixFiles changed = plan.last;
  changed.main_cf += "smtpd_recipient_restrictions = reject_non_fqdn_recipient\n";
  const Plan again = plan_attach(changed, site(), needs_with_restrictions());
  CHECK(subjects(again) == Strings{"main.cf: mxfeed_recipient_restrictions"});
  CHECK(value(again.last, "mxfeed_recipient_restrictions") ==
        "check_recipient_access cdb:/s/access, reject_non_fqdn_recipient");
}

TEST_CASE("a dedicated Postfix has no other restrictions of ETRN", "[attach]") {
  PostfixNeeds wanted = needs_with_restrictions();
  wanted.use.dedicated = true;
  wanted.main_cf.emplace_back("smtpd_etrn_restrictions", "reject");
  const Plan plan = plan_attach(files(), site(), wanted);
  CHECK(value(plan.last, "mxfeed_etrn_restrictions") ==
        "check_client_access cdb:/s/etrn, reject");
}

TEST_CASE("limits of our transports stay while mail waits", "[attach]") {
  PostfixNeeds wanted = needs();
  wanted.main_cf.emplace_back("mxfeed-relay_destination_concurrency_limit", "5");
  const Plan plan = plan_attach(files(), site(), wanted);
  CHECK(value(plan.last, "mxfeed-relay_destination_concurrency_limit") == "5");
  const auto kept = plan_detach(plan.last, Routes::keep).last;
  CHECK(value(kept, "mxfeed-relay_destination_concurrency_limit") == "5");
  CHECK(attach_state(kept) == AttachState::detaching);
  CHECK(plan_detach(kept, Routes::remove).last == files());
}

struct LimitCase {
  const char* name;
  const char* recipients;
  const char* soft;
  const char* hard;
  const char* want_soft;  // of mxfeed_soft_error_limit
  const char* soft_option;
  const char* hard_option;
};

const LimitCase kLimits[] = {
    {"as Postfix comes", "1000", "10", "20", "1100", "$mxfeed_soft_error_limit",
     "$mxfeed_hard_error_limit"},
    {"fewer recipients", "50", "10", "20", "150", "$mxfeed_soft_error_limit",
     "$mxfeed_hard_error_limit"},
    {"larger already", "1000", "1001", "5000", "absent", "absent", "absent"},
    {"one of them", "1000", "10", "5000", "1100", "$mxfeed_soft_error_limit", "absent"},
    {"as many", "1000", "1000", "1000", "1100", "$mxfeed_soft_error_limit",
     "$mxfeed_hard_error_limit"},
};

TEST_CASE("recipients that get 452 do not end a session", "[attach]") {
  for (const auto& c : kLimits) {
    DYNAMIC_SECTION(c.name) {
      PostfixSettings settings = site();
      settings.main["smtpd_recipient_limit"] = c.recipients;
      settings.main["smtpd_soft_error_limit"] = c.soft;
      settings.main["smtpd_hard_error_limit"] = c.hard;
      const Plan plan = plan_attach(files(), settings, needs());
      CHECK(value(plan.last, "mxfeed_soft_error_limit") == c.want_soft);
      CHECK(option(plan.last, "smtp/inet", "smtpd_soft_error_limit") == c.soft_option);
      CHECK(option(plan.last, "smtp/inet", "smtpd_hard_error_limit") == c.hard_option);
    }
  }
}

TEST_CASE("a limit that is low under stress is replaced", "[attach]") {
  PostfixFiles now = files();
  now.main_cf += "smtpd_hard_error_limit = ${stress?{1}:{5000}}\n";
  PostfixSettings settings = site();
  settings.main["smtpd_soft_error_limit"] = "5000";
  settings.main["smtpd_hard_error_limit"] = "5000";
  const Plan plan = plan_attach(now, settings, needs());
  CHECK(option(plan.last, "smtp/inet", "smtpd_soft_error_limit") == "absent");
  CHECK(option(plan.last, "smtp/inet", "smtpd_hard_error_limit") ==
        "$mxfeed_hard_error_limit");
}

TEST_CASE("a dedicated Postfix gets the global parameters", "[attach]") {
  const auto wanted = test::dedicated_needs();
  const Plan plan = plan_attach(files(), site(), wanted);
  CHECK(value(plan.last, "relay_transport") == "retry:4.3.5 no route");
  CHECK(value(plan.last, "relay_recipient_maps").empty());
  CHECK(option(plan.last, "smtp/inet", "smtpd_soft_error_limit") == "absent");
  CHECK(plan_attach(plan.last, site(), wanted).changes.empty());
}

TEST_CASE("mail is filtered before it is taken", "[attach]") {
  const Plan plan = plan_attach(files(), site(), needs());
  CHECK(value(plan.first, "relay_domains").find("/s/") == std::string::npos);
  CHECK(value(plan.first, "mxfeed_smtpd_milters") == test::kMilters);
  CHECK(option(plan.first, "smtp/inet", "smtpd_milters") == "$mxfeed_smtpd_milters");
  CHECK(plan.first.master_cf == plan.last.master_cf);
  const Plan back = plan_detach(plan.last, Routes::keep);
  CHECK(value(back.first, "relay_domains").find("/s/") == std::string::npos);
  CHECK(value(back.first, "mxfeed_smtpd_milters") == test::kMilters);
  CHECK(option(back.first, "smtp/inet", "smtpd_milters") == "absent");
}

TEST_CASE("attaching again from any step changes what is left", "[attach]") {
  const Plan plan = plan_attach(files(), site(), needs());
  for (const auto& now :
       {plan.first, plan.last, PostfixFiles{plan.first.main_cf, test::kMasterCf},
        PostfixFiles{plan.last.main_cf, test::kMasterCf}}) {
    CHECK(plan_attach(now, site(), needs()).last == plan.last);
  }
  CHECK(plan_attach(plan.last, site(), needs()).changes.empty());
}

TEST_CASE("the second step of detaching gives back every byte", "[attach]") {
  for (const PostfixNeeds& wanted :
       {needs(), test::dedicated_needs(), test::quarantine_host_needs(),
        test::other_host_needs()}) {
    for (const std::string main : {test::kMainCf, "a = b", "", "\n# x\n\n"}) {
      const PostfixFiles before = {main, test::kMasterCf};
      const PostfixFiles attached = plan_attach(before, site(), wanted).last;
      CHECK(plan_detach(attached, Routes::remove).last == before);
      const PostfixFiles detaching = plan_detach(attached, Routes::keep).last;
      CHECK(plan_detach(detaching, Routes::remove).last == before);
      CHECK(plan_attach(detaching, site(), wanted).last.main_cf.size() ==
            attached.main_cf.size());
    }
  }
}

TEST_CASE("what waits keeps its routes and its lifetime", "[attach]") {
  const auto attached = plan_attach(files(), site(), test::dedicated_needs()).last;
  const auto detaching = plan_detach(attached, Routes::keep).last;
  CHECK(value(detaching, "transport_maps").ends_with("/s/current-postfix/transport"));
  CHECK(value(detaching, "maximal_queue_lifetime") == "10d");
  CHECK(option(detaching, "mxfeed-relay/unix", "smtp_fallback_relay").empty());
  CHECK(value(detaching, "relay_transport") == "absent");
  CHECK(value(detaching, "mxfeed_smtpd_milters") == "absent");
}

TEST_CASE("a quarantine host that is detached takes nothing more to hold", "[attach]") {
  const Plan plan = plan_attach(files(), site(), test::quarantine_host_needs());
  const auto names = subjects(plan);
  for (const char* const name :
       {"main.cf: mxfeed_quarantine_clients", "master.cf: 2424/inet",
        "master.cf: mxfeed-quarantine/unix"}) {
    CAPTURE(name);
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
  }
  CHECK(plan_attach(plan.last, site(), test::quarantine_host_needs()).changes.empty());
  const Plan detach = plan_detach(plan.last, Routes::keep);
  CHECK(option(detach.first, "2424/inet", "mynetworks") == "no service");
  CHECK(value(detach.last, "mxfeed_quarantine_clients") == "absent");
  // What is in its queue is still held.
  CHECK(option(detach.last, "mxfeed-quarantine/unix", "x") == "absent");
  CHECK(attach_state(detach.last) == AttachState::detaching);
  // Another port.
  auto moved = test::quarantine_host_needs();
  moved.master_cf[moved.master_cf.size() - 2].replace(0, 4, "2525");
  const auto after = plan_attach(plan.last, site(), moved).last;
  CHECK(option(after, "2424/inet", "mynetworks") == "no service");
  CHECK(option(after, "2525/inet", "mynetworks") == "$mxfeed_quarantine_clients");
}

TEST_CASE("what waits for the quarantine host keeps its route", "[attach]") {
  const auto attached = plan_attach(files(), site(), test::other_host_needs()).last;
  CHECK(value(attached, "transport_maps") ==
        "hash:/etc/postfix/transport, $mxfeed_delivery_quarantine, "
        "cdb:/s/current-postfix/transport");
  const auto detaching = plan_detach(attached, Routes::keep).last;
  for (const char* const name : {"transport_maps", "mxfeed_delivery_quarantine"}) {
    CHECK(value(detaching, name) == value(attached, name));
  }
  CHECK(option(detaching, "mxfeed-quarantine-host/unix", "x") == "absent");
  CHECK(attach_state(detaching) == AttachState::detaching);
  // The host holds its own mail again.
  const auto back = plan_attach(attached, site(), needs()).last;
  CHECK(value(back, "transport_maps") ==
        "hash:/etc/postfix/transport, cdb:/s/current-postfix/transport");
  CHECK(value(back, "mxfeed_delivery_quarantine") == "absent");
}

TEST_CASE("what the site puts behind ours may stay there", "[attach]") {
  PostfixFiles now = plan_attach(files(), site(), needs()).last;
  const std::string ours = "cdb:/s/current-postfix/relay_domains";
  const auto at = now.main_cf.rfind(ours);
  now.main_cf.insert(at + ours.size(), ", new.example");
  CHECK(plan_attach(now, site(), needs()).changes.empty());
  now.main_cf.replace(now.main_cf.rfind(ours), ours.size(), "cdb:/t/current-postfix/x");
  CHECK(value(plan_attach(now, site(), needs()).last, "relay_domains")
            .ends_with("new.example, " + ours));
}

TEST_CASE("what the site changed meanwhile stays", "[attach]") {
  PostfixFiles now = plan_attach(files(), site(), needs()).last;
  const std::string ours = ", cdb:/s/current-postfix/relay_domains";
  const auto at = now.main_cf.rfind(ours);
  now.main_cf.replace(at, ours.size(), ", new.example" + ours);
  now.main_cf += "myhostname = new\n";
  const auto back = plan_detach(now, Routes::remove).last;
  CHECK(value(back, "relay_domains").ends_with("old.example, new.example"));
  CHECK(value(back, "myhostname") == "new");
}

TEST_CASE("what is not needed any more is taken back", "[attach]") {
  const auto dedicated = plan_attach(files(), site(), test::dedicated_needs()).last;
  const auto shared = plan_attach(dedicated, site(), needs()).last;
  CHECK(value(shared, "relay_transport") == "absent");
  CHECK(value(shared, "maximal_queue_lifetime") == "absent");
  CHECK(plan_detach(shared, Routes::remove).last == files());
}

struct StateCase {
  const char* name;
  PostfixFiles (*make)();
  AttachState state;
};

PostfixFiles attached() {
  return plan_attach(files(), site(), needs()).last;
}

const StateCase kStates[] = {
    {"as it was", files, AttachState::detached},
    {"attached", attached, AttachState::accepting},
    {"attached in part", [] { return plan_attach(files(), site(), needs()).first; },
     AttachState::partly},
    {"without routes",
     [] {
       auto now = attached();
       MainCf main(now.main_cf, is_ours);
       main.take_back("transport_maps");
       now.main_cf = main.text();
       return now;
     },
     AttachState::accepting},
    {"routes only", [] { return plan_detach(attached(), Routes::keep).last; },
     AttachState::detaching},
    {"a service that a crash left",
     [] {
       auto now = plan_detach(attached(), Routes::keep).last;
       MasterCf master(now.master_cf, is_ours);
       master.add_service("mxfeed-reload-1 unix - - y - - discard");
       now.master_cf = master.text();
       return now;
     },
     AttachState::partly},
    {"attached and detached", [] { return plan_detach(attached(), Routes::remove).last; },
     AttachState::detached},
};

constexpr const char* kNotices[] = {"bounce/unix", "defer/unix", "trace/unix"};

TEST_CASE("notices of a dedicated Postfix go through a service of ours", "[attach]") {
  const auto site = test::site_with_bounce();
  const auto before = test::files_with_bounce();
  const Plan plan = plan_attach(before, site, test::notice_needs());
  for (const auto* const service : kNotices) {
    CHECK(option(plan.last, service, "cleanup_service_name") ==
          "$mxfeed_delivery_notice_service");
    CHECK(option(plan.last, service, "internal_mail_filter_classes") ==
          "$mxfeed_delivery_notice_classes");
  }
  CHECK(option(plan.last, "defer/unix", "syslog_name") == "postfix/defer");
  CHECK(option(plan.last, "mxfeed-notices/unix", "header_checks").empty());
  for (const auto& change : plan.changes) CHECK_FALSE(change.reason.empty());
  CHECK(plan_attach(plan.last, site, test::notice_needs()).changes.empty());
  CHECK(plan_detach(plan.last, Routes::remove).last == before);

  // A generation of an earlier version does not need it.
  for (const PostfixNeeds& earlier : {needs(), test::dedicated_needs()}) {
    const auto attached = plan_attach(before, site, earlier).last;
    CHECK(option(attached, "bounce/unix", "cleanup_service_name") == "absent");
    CHECK(plan_attach(plan.last, site, earlier).last.master_cf.find("notice") ==
          std::string::npos);
  }
}

TEST_CASE("mail that waits at detach has the same notices", "[attach]") {
  const auto attached = plan_attach(test::files_with_bounce(), test::site_with_bounce(),
                                    test::notice_needs())
                            .last;
  const auto detaching = plan_detach(attached, Routes::keep).last;
  for (const auto* const service : kNotices) {
    CHECK(option(detaching, service, "cleanup_service_name") ==
          "$mxfeed_delivery_notice_service");
  }
  CHECK(value(detaching, "mxfeed_delivery_notice_service") == "mxfeed-notices");
  CHECK(attach_state(detaching) == AttachState::detaching);
  CHECK(plan_detach(detaching, Routes::remove).last == test::files_with_bounce());
}

TEST_CASE("how the site treats its notices stays", "[attach]") {
  auto site = test::site_with_bounce();
  site.services.back().options["cleanup_service_name"] = "own-cleanup";
  const auto attached = [&] {
    return plan_attach(test::files_with_bounce(), site, test::notice_needs()).last;
  };
  CHECK(option(attached(), "trace/unix", "cleanup_service_name") == "absent");
  CHECK(option(attached(), "bounce/unix", "cleanup_service_name") ==
        "$mxfeed_delivery_notice_service");
  for (const auto& [name, own] :
       {std::pair{"internal_mail_filter_classes", "bounce, notify"},
        std::pair{"cleanup_service_name", "pre-cleanup"}}) {
    site = test::site_with_bounce();
    site.main[name] = own;
    for (const auto* const service : kNotices) {
      CHECK(option(attached(), service, "cleanup_service_name") == "absent");
    }
  }
}

TEST_CASE("how far it is attached is told by the files", "[attach]") {
  for (const auto& c : kStates) {
    DYNAMIC_SECTION(c.name) {
      CHECK(attach_state(c.make()) == c.state);
      CHECK(attach_state(plan_detach(c.make(), Routes::remove).last) ==
            AttachState::detached);
      CHECK(plan_attach(c.make(), site(), needs()).last == attached());
    }
  }
}

}  // namespace
}  // namespace mxfeed
