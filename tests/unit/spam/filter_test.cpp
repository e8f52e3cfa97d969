// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/filter.h"

#include "common/policy/constdb.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::spam {
namespace {

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

std::shared_ptr<const PolicyDb> policy_in(const std::filesystem::path& directory) {
  DomainPolicy domain;
  domain.name = "acme.example";
  domain.content_class = 1;
  domain.spam.enabled = true;
  domain.spam.rules[3] = {SpamAction::discard, ""};
  DomainPolicy another;
  another.name = "another.example";
  another.content_class = 2;
  GatewayPolicy gateway;
  gateway.scan_other_mail = false;
  gateway.trusted_networks = {*Network::parse("192.0.2.0/24"),
                              *Network::parse("2001:db8::/32")};
  ConstDbWriter writer(directory / "policy.cdb");
  writer.add(domain.name, encode(domain));
  writer.add(another.name, encode(another));
  writer.add(PolicyDb::kForeignKey, encode(DomainPolicy{}));
  writer.add(PolicyDb::kGatewayKey, encode(gateway));
  writer.commit();
  return std::make_shared<PolicyDb>(directory / "policy.cdb");
}

Envelope envelope_from(const char* address) {
  Envelope envelope;
  envelope.client.address = IpAddress::parse(address);
  envelope.sender = "a@sender.example";
  envelope.recipients = {{"info", "acme.example"}};
  envelope.id = "1";
  return envelope;
}

TEST_CASE("clients of trusted networks are exempt", "[spam]") {
  const TempDirectory directory;
  const auto policy = policy_in(directory.path());
  Sources sources;
  sources.push_back(std::make_unique<Opinion>());
  SpamMilter milter([&] { return policy; }, system_time, std::move(sources));
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
    CHECK(edits.empty());
  }
}

TEST_CASE("what is done depends on the recipients and the client", "[spam]") {
  const TempDirectory directory;
  const auto policy = policy_in(directory.path());
  Sources sources;
  sources.push_back(std::make_unique<Opinion>());
  SpamMilter milter([&] { return policy; }, system_time, std::move(sources));
  const Recipient ours{"a", "acme.example"};
  const Recipient another{"a", "another.example"};
  const Recipient other{"a", "other.example"};
  struct {
    const char* name;
    const char* client;
    std::vector<Recipient> recipients;
    bool wants_content;
    std::size_t edits;  // a forged field removed
    std::string_view reason;
  } const rows[] = {
      {"other mail", "198.51.100.7", {other}, false, 0, ""},
      {"other mail, trusted", "192.0.2.1", {other, other}, false, 0, ""},
      {"ours", "198.51.100.7", {ours}, true, 1, "spam-high"},
      {"ours, trusted", "192.0.2.1", {ours}, true, 1, "spam-exempt"},
      {"mixed", "198.51.100.7", {ours, another}, true, 1, "spam-mixed"},
      {"mixed, trusted", "192.0.2.1", {ours, another}, true, 1, "spam-exempt"},
      {"ours after other", "192.0.2.1", {other, ours}, true, 1, "spam-exempt"},
      {"other after ours", "192.0.2.1", {ours, other}, true, 1, "spam-exempt"},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Envelope envelope = envelope_from(row.client);
      envelope.recipients = row.recipients;
      const auto connection = milter.connect(envelope.client);
      const auto filter = connection->begin(envelope);
      CHECK(filter->on_data().action() == Action::proceed);
      CHECK(filter->wants_content() == row.wants_content);
      filter->on_header("X-Mxfeed-Spam", " none");
      MessageEdits edits;
      CHECK(filter->on_end(edits, [] {}).reason() == row.reason);
      CHECK(edits.ordered().size() == row.edits);
    }
  }
}

TEST_CASE("a source that cannot judge is a fault, after which mail passes", "[spam]") {
  const TempDirectory directory;
  const auto policy = policy_in(directory.path());
  Sources sources;
  sources.push_back(std::make_unique<Broken>());
  SpamMilter milter([&] { return policy; }, system_time, std::move(sources));
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

TEST_CASE("as little as possible is asked of Postfix", "[spam]") {
  const SpamMilter milter([] { return std::make_shared<PolicyDb>(); }, system_time, {});
  const Needs needs = milter.needs();
  CHECK_FALSE(needs.helo);
  CHECK_FALSE(needs.recipient_verdict);
  CHECK_FALSE(needs.data_verdict);
}

TEST_CASE("an answer at DATA is asked for where other mail is not scanned", "[spam]") {
  const TempDirectory directory;
  const auto policy = policy_in(directory.path());
  CHECK(SpamMilter([&] { return policy; }, system_time, {}).needs().data_verdict);
}

TEST_CASE("mail passes if the session fails", "[spam]") {
  const SpamMilter milter([] { return std::make_shared<PolicyDb>(); }, system_time, {});
  CHECK(milter.passes_without_session());
}

}  // namespace
}  // namespace mxfeed::spam
