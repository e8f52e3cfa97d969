// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/filter.h"

#include <atomic>

#include "common/policy/constdb.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/net/zone.h"

namespace mxfeed::spam {
namespace {

const AnsweringServers kNone("/nonexistent");
ListDesk no_lists{nullptr};

// A source with a fixed opinion.
class Opinion : public EvidenceSource {
 public:
  void judge(const Message&, Findings& findings) const override {
    findings.add({"opinion", Group::test, 20, true});
  }
};

class Broken : public EvidenceSource {
 public:
  void judge(const Message&, Findings&) const override {
    throw Fault("judge", "x", "broken");
  }
};

std::unique_ptr<dns::Lookup> zone(spf::Checks::Instant) {
  auto made = std::make_unique<dns::Zone>();
  made->add("sender.example", "v=spf1 -all");
  return made;
}

std::shared_ptr<const PolicyDb> policy_in(const std::filesystem::path& directory) {
  DomainPolicy domain;
  domain.name = "acme.example";
  domain.content_class = 1;
  domain.spam.enabled = true;
  domain.spam.rules[3] = {SpamAction::discard, ""};
  DomainPolicy another;
  another.name = "another.example";
  another.content_class = 2;
  DomainPolicy third = domain;
  third.name = "third.example";
  third.content_class = 3;
  third.spam.rules[3] = {SpamAction::header, "X-Spam: yes"};
  GatewayPolicy gateway;
  gateway.scan_other_mail = false;
  gateway.trusted_networks = {*Network::parse("192.0.2.0/24"),
                              *Network::parse("2001:db8::/32")};
  ConstDbWriter writer(directory / "policy.cdb");
  writer.add(domain.name, encode(domain));
  writer.add(another.name, encode(another));
  writer.add(third.name, encode(third));
  writer.add(PolicyDb::kForeignKey, encode(DomainPolicy{}));
  writer.add(PolicyDb::kGatewayKey, encode(gateway));
  writer.commit();
  return std::make_shared<PolicyDb>(directory / "policy.cdb");
}

Envelope envelope_from(const char* address) {
  Envelope envelope;
  envelope.client = {IpAddress::parse(address), "mail.sender.example"};
  envelope.sender = "a@sender.example";
  envelope.recipients = {{"info", "acme.example"}};
  envelope.id = "1";
  return envelope;
}

// "name#index " of a removed field, "name=value " of an added one.
std::string text_of(const MessageEdits& edits) {
  std::string text;
  for (const HeaderEdit& edit : edits.ordered()) {
    text += edit.name;
    text += edit.index > 0 ? "#" + std::to_string(edit.index) : "=" + edit.value;
    text += ' ';
  }
  return text;
}

TEST_CASE("clients of trusted networks are exempt", "[spam]") {
  const TempDirectory directory;
  const auto policy = policy_in(directory.path());
  Sources sources;
  sources.push_back(std::make_unique<Opinion>());
  spf::Checks checks(zone);
  SpamMilter milter([&] { return policy; }, system_time, std::move(sources), checks,
                    kNone, no_lists);
  struct {
    const char* address;
    std::string_view reason;
  } const rows[] = {{"192.0.2.1", "spam-exempt"},
                    {"192.0.3.1", "spam-high"},
                    {"2001:db8::1", "spam-exempt"},
                    {"2001:db9::1", "spam-high"}};
  for (const auto& row : rows) {
    CAPTURE(row.address);
    const Envelope envelope = envelope_from(row.address);
    const auto connection = milter.connect(envelope.client);
    const auto filter = connection->begin(envelope);
    filter->on_header("Subject", " x");
    MessageEdits edits;
    CHECK(filter->on_end(edits, [] {}).reason() == row.reason);
    CHECK(edits.empty() == (row.reason == "spam-high"));
  }
}

TEST_CASE("high is acted on when the content model has proved itself", "[spam]") {
  class Content : public EvidenceSource {
   public:
    explicit Content(Alone alone) : alone_(alone) {}
    void judge(const Message&, Findings& findings) const override {
      findings.add({"content", Group::content, 7, false, alone_});
    }

   private:
    const Alone alone_;
  };
  const TempDirectory directory;
  const auto policy = policy_in(directory.path());
  spf::Checks checks(zone);
  struct {
    Alone alone;
    std::string_view reason;
    Action action;
  } const rows[] = {{Alone::high, "spam-high", Action::discard},
                    {Alone::med, "spam-med", Action::proceed},
                    {Alone::none, "spam-none", Action::proceed}};
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    Sources sources;
    sources.push_back(std::make_unique<Content>(row.alone));
    SpamMilter milter([&] { return policy; }, system_time, std::move(sources), checks,
                      kNone, no_lists);
    Envelope envelope = envelope_from("198.51.100.7");
    envelope.sender = "a@without-spf.example";
    const auto connection = milter.connect(envelope.client);
    const auto filter = connection->begin(envelope);
    filter->on_header("Subject", " x");
    MessageEdits edits;
    const Verdict verdict = filter->on_end(edits, [] {});
    CHECK(verdict.reason() == row.reason);
    CHECK(verdict.action() == row.action);
  }
}

TEST_CASE("what is done depends on the recipients and the client", "[spam]") {
  const TempDirectory directory;
  const auto policy = policy_in(directory.path());
  Sources sources;
  sources.push_back(std::make_unique<Opinion>());
  spf::Checks checks(zone);
  SpamMilter milter([&] { return policy; }, system_time, std::move(sources), checks,
                    kNone, no_lists);
  const std::string kRemoved = "x-mxfeed-sender#2 x-mxfeed-sender#1 ";
  const std::string kFail = "X-Mxfeed-Sender=spf=fail smtp.mailfrom=sender.example ";
  const std::string kOwn = "X-Mxfeed-Sender=own ";
  const Recipient ours{"a", "acme.example"};
  const Recipient another{"a", "another.example"};
  const Recipient third{"a", "third.example"};
  const Recipient other{"a", "other.example"};
  struct {
    const char* name;
    const char* client;
    std::vector<Recipient> recipients;
    bool wants_content;
    std::string edits;  // forged fields removed, the sender recorded
    std::string_view reason;
  } const rows[] = {
      {"other mail", "198.51.100.7", {other}, false, "", ""},
      {"other mail, trusted", "192.0.2.1", {other, other}, false, "", ""},
      {"ours", "198.51.100.7", {ours}, true, kRemoved, "spam-high"},
      {"ours, trusted", "192.0.2.1", {ours}, true, kRemoved + kOwn, "spam-exempt"},
      {"without the filter",
       "198.51.100.7",
       {another},
       true,
       kRemoved + kFail,
       "spam-forged"},
      {"postmaster",
       "198.51.100.7",
       {{"postmaster", "acme.example"}},
       true,
       kRemoved + kFail,
       "spam-exempt"},
      {"mixed", "198.51.100.7", {ours, another}, true, kRemoved + kFail, "spam-forged"},
      {"mixed, both judged",
       "198.51.100.7",
       {ours, third},
       true,
       kRemoved +
           "X-Spam=yes X-Mxfeed-Spam-Evidence=opinion,spf-fail "
           "X-Mxfeed-Spam-Status=high p=1.00 t=1 " +
           kFail,
       "spam-high"},
      {"mixed, trusted",
       "192.0.2.1",
       {ours, another},
       true,
       kRemoved + kOwn,
       "spam-exempt"},
      {"ours after other",
       "192.0.2.1",
       {other, ours},
       true,
       kRemoved + kOwn,
       "spam-exempt"},
      {"other after ours",
       "192.0.2.1",
       {ours, other},
       true,
       kRemoved + kOwn,
       "spam-exempt"},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Envelope envelope = envelope_from(row.client);
      envelope.recipients = row.recipients;
      const auto connection = milter.connect(envelope.client);
      const auto filter = connection->begin(envelope);
      CHECK(filter->on_data().action() == Action::proceed);
      CHECK(filter->wants_content() == row.wants_content);
      filter->on_header("X-Mxfeed-Sender", " own");
      filter->on_header("X-MXFEED-sender", " spf=pass smtp.mailfrom=sender.example");
      MessageEdits edits;
      CHECK(filter->on_end(edits, [] {}).reason() == row.reason);
      CHECK(text_of(edits) == row.edits);
    }
  }
}

TEST_CASE("a source that cannot judge is a fault, after which mail passes", "[spam]") {
  const TempDirectory directory;
  const auto policy = policy_in(directory.path());
  Sources sources;
  sources.push_back(std::make_unique<Broken>());
  spf::Checks checks(zone);
  SpamMilter milter([&] { return policy; }, system_time, std::move(sources), checks,
                    kNone, no_lists);
  const Envelope envelope = envelope_from("198.51.100.7");
  const auto connection = milter.connect(envelope.client);
  const auto filter = connection->begin(envelope);
  MessageEdits edits;
  CHECK_THROWS_AS(filter->on_end(edits, [] {}), Fault);
  const Fault fault("judge", "x", "broken");
  CHECK(filter->on_fault(fault).action() == Action::proceed);
  CHECK(filter->on_fault(fault).reason() == "spam-fault");
  CHECK(filter->on_limit("header").action() == Action::proceed);
  CHECK(milter.on_fault(fault).action() == Action::proceed);
}

TEST_CASE("a check begins with the first recipient that may be ours", "[spam]") {
  const TempDirectory directory;
  const auto policy = policy_in(directory.path());
  std::atomic<unsigned> lookups{0};
  spf::Checks checks([&](spf::Checks::Instant deadline) {
    ++lookups;
    return zone(deadline);
  });
  SpamMilter milter([&] { return policy; }, system_time, {}, checks, kNone, no_lists);
  const Envelope envelope = envelope_from("198.51.100.7");
  const auto filter = milter.connect(envelope.client)->begin(envelope);
  Recipient other{"a", "other.example"};
  other.may_be_hosted = false;
  filter->on_accepted(other);
  filter->on_accepted(envelope.recipients[0]);
  filter->on_accepted(envelope.recipients[0]);
  filter->on_header("Subject", " x");
  MessageEdits edits;
  CHECK(filter->on_end(edits, [] {}).reason() == "spam-none");
  CHECK(lookups == 1);
  LogFields fields;
  filter->describe(fields);
  CHECK(fields.str().find(" spf=fail ") != std::string::npos);
}

TEST_CASE("as little as possible is asked of Postfix", "[spam]") {
  spf::Checks checks(zone);
  const SpamMilter milter([] { return std::make_shared<PolicyDb>(); }, system_time, {},
                          checks, kNone, no_lists);
  const Needs needs = milter.needs();
  CHECK_FALSE(needs.recipient_verdict);
  CHECK_FALSE(needs.data_verdict);
}

TEST_CASE("an answer at DATA is asked for where other mail is not scanned", "[spam]") {
  const TempDirectory directory;
  const auto policy = policy_in(directory.path());
  spf::Checks checks(zone);
  CHECK(SpamMilter([&] { return policy; }, system_time, {}, checks, kNone, no_lists)
            .needs()
            .data_verdict);
}

TEST_CASE("mail passes if the session fails", "[spam]") {
  spf::Checks checks(zone);
  const SpamMilter milter([] { return std::make_shared<PolicyDb>(); }, system_time, {},
                          checks, kNone, no_lists);
  CHECK(milter.passes_without_session());
}

}  // namespace
}  // namespace mxfeed::spam
