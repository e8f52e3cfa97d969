// SPDX-License-Identifier: GPL-2.0-or-later
//
// Messages to traps and addresses for reports, through the whole filter.
#include <algorithm>

#include "common/mail/held_address.h"
#include "common/policy/constdb.h"
#include "milters/spam/filter.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/net/zone.h"

namespace mxfeed::spam {
namespace {

const AnsweringServers kNone("/nonexistent");
ListDesk no_lists{nullptr};

class Opinion : public EvidenceSource {
 public:
  void judge(const Message&, Findings& findings) const override {
    findings.add({"opinion", Group::test, 20, true});
  }
};

std::unique_ptr<dns::Lookup> zone(spf::Checks::Instant) {
  auto made = std::make_unique<dns::Zone>();
  made->add("acme.example", "v=spf1 ip4:198.51.100.7 -all");
  made->add("sender.example", "v=spf1 ip4:198.51.100.7 -all");
  return made;
}

std::shared_ptr<const PolicyDb> policy_in(const std::filesystem::path& directory,
                                          SpamAction high, bool is_reachable) {
  DomainPolicy domain;
  domain.name = "acme.example";
  domain.content_class = 1;
  domain.spam.enabled = true;
  domain.spam.rules[3] = {high, ""};
  domain.teaching = {{"old"}, "is-spam", "not-spam", "acme", {}};
  GatewayPolicy gateway;
  gateway.quarantine.is_reachable = is_reachable;
  ConstDbWriter writer(directory / "policy.cdb");
  writer.add(domain.name, encode(domain));
  writer.add(PolicyDb::kForeignKey, encode(DomainPolicy{}));
  writer.add(PolicyDb::kGatewayKey, encode(gateway));
  writer.commit();
  return std::make_shared<PolicyDb>(directory / "policy.cdb");
}

struct Row {
  const char* name;
  std::vector<const char*> recipients;
  const char* sender;
  SpamAction high;
  bool is_reachable;
  Action action;
  std::string_view reason;
  std::vector<std::string> removed;
  std::vector<std::string> held;  // "trap", ...; their recipients are removed
};

constexpr const char* kUser = "user@acme.example";
constexpr const char* kStranger = "a@sender.example";
constexpr const char* kTrap = "old@acme.example";
constexpr const char* kReport = "is-spam@acme.example";
constexpr const char* kInfo = "info@acme.example";

const Row kRows[] = {
    {"a trap",
     {kTrap},
     kStranger,
     SpamAction::discard,
     true,
     Action::proceed,
     "spam-taught",
     {kTrap},
     {"trap"}},
    {"a report, which is spam",
     {kReport},
     kUser,
     SpamAction::discard,
     true,
     Action::proceed,
     "spam-taught",
     {kReport},
     {"report_spam"}},
    {"a report by a stranger",
     {kReport, kInfo},
     kStranger,
     SpamAction::discard,
     true,
     Action::reject,
     "spam-report-stranger",
     {},
     {}},
    {"a trap and another recipient, whose mail is deleted",
     {kTrap, kInfo},
     kStranger,
     SpamAction::discard,
     true,
     Action::proceed,
     "spam-high",
     {kInfo, kTrap},
     {"trap"}},
    {"a trap and another recipient, whose mail is rejected",
     {kTrap, kInfo},
     kStranger,
     SpamAction::reject,
     true,
     Action::reject,
     "spam-high",
     {},
     {}},
    {"a trap and another recipient, whose mail is held",
     {kTrap, kInfo},
     kStranger,
     SpamAction::quarantine,
     true,
     Action::proceed,
     "spam-high",
     {kInfo, kTrap},
     {"spam", "trap"}},
    {"a trap and one that is not ours",
     {"x@other.example", kTrap},
     kStranger,
     SpamAction::discard,
     true,
     Action::proceed,
     "spam-taught",
     {kTrap},
     {"trap"}},
    {"a trap without a quarantine",
     {kTrap},
     kStranger,
     SpamAction::discard,
     false,
     Action::defer,
     "spam-cannot-hold",
     {},
     {}},
};

TEST_CASE("mail that teaches is held, whatever its level", "[spam]") {
  for (const auto& row : kRows) {
    DYNAMIC_SECTION(row.name) {
      const TempDirectory directory;
      const auto policy = policy_in(directory.path(), row.high, row.is_reachable);
      Sources sources;
      sources.push_back(std::make_unique<Opinion>());
      spf::Checks checks(zone);
      SpamMilter milter([&] { return policy; }, system_time, std::move(sources), checks,
                        kNone, no_lists);
      Envelope envelope;
      envelope.client = {IpAddress::parse("198.51.100.7"), "mail.sender.example"};
      envelope.sender = row.sender;
      envelope.id = "1";
      for (const char* one : row.recipients) {
        envelope.recipients.push_back(Recipient::parse(one));
        envelope.recipients.back().as_received = one;
      }
      const auto filter = milter.connect(envelope.client)->begin(envelope);
      CHECK(filter->on_data().action() == Action::proceed);
      CHECK(filter->wants_content());
      filter->on_header("Subject", " x");
      MessageEdits edits;
      const Verdict verdict = filter->on_end(edits, [] {});
      CHECK(verdict.action() == row.action);
      CHECK(verdict.reason() == row.reason);
      if (row.action != Action::proceed) continue;
      CHECK(edits.removed_recipients() == row.removed);
      std::vector<std::string> held;
      for (const auto& address : edits.added_recipients()) {
        held.push_back(address.substr(0, address.find('.')));
        CHECK(HeldAddress::parse(address.substr(0, address.rfind('@'))));
        CHECK(address.find("..") == std::string::npos);  // Postfix would quote it
      }
      CHECK(held == row.held);
    }
  }
}

TEST_CASE("after a fault mail that teaches is deferred, not relayed", "[spam]") {
  const TempDirectory directory;
  const auto policy = policy_in(directory.path(), SpamAction::discard, true);
  spf::Checks checks(zone);
  SpamMilter milter([&] { return policy; }, system_time, {}, checks, kNone, no_lists);
  Envelope envelope;
  envelope.client = {IpAddress::parse("198.51.100.7"), ""};
  envelope.recipients = {Recipient::parse(kTrap)};
  const auto filter = milter.connect(envelope.client)->begin(envelope);
  filter->on_header("Subject", " x");
  const Fault fault("judge", "x", "broken");
  CHECK(filter->on_fault(fault).action() == Action::defer);
  CHECK(filter->on_limit("header").action() == Action::defer);
}

}  // namespace
}  // namespace mxfeed::spam
