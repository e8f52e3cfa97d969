// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/filter.h"

#include "common/policy/constdb.h"
#include "milters/virus/protocol/wire.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::virus {
namespace {

const Envelope kNobody;

// A milter without a scan service: what reaches for it is a fault.
struct Rig {
  explicit Rig(VirusPolicy virus = {},
               std::uint64_t budget = MemoryBudget::default_size(),
               const GatewayPolicy& gateway = {}) {
    const auto generation = directory.path() / "generations" / "1";
    std::filesystem::create_directories(generation);
    ConstDbWriter writer(generation / "policy.cdb");
    writer.add(PolicyDb::kGatewayKey, encode(gateway));
    writer.add(PolicyDb::kForeignKey, encode(DomainPolicy{}));
    DomainPolicy domain;
    domain.name = "acme.example";
    domain.virus = virus;
    domain.content_class = 1;
    writer.add(domain.name, encode(domain));
    writer.commit();
    std::filesystem::create_symlink("generations/1", directory.path() / "current");
    live = std::make_unique<LivePolicy>(directory.path());
    milter = std::make_unique<VirusMilter>(*live, directory.path() / "none.sock",
                                           system_time, budget);
    connection = milter->connect(Client{});
    filter = connection->begin(kNobody);
    const Verdict verdict = filter->on_recipient({"a", "acme.example"});
    CHECK(verdict.action() == Action::proceed);
  }

  void send_body(std::uint64_t size) {
    const std::vector<std::byte> chunk(65'535);
    for (std::uint64_t left = size; left > 0;) {
      const std::uint64_t part = std::min<std::uint64_t>(left, chunk.size());
      filter->on_body(std::span(chunk).first(part));
      left -= part;
    }
  }

  TempDirectory directory;
  std::unique_ptr<LivePolicy> live;
  std::unique_ptr<VirusMilter> milter;
  std::unique_ptr<Connection> connection;
  std::unique_ptr<Filter> filter;
};

constexpr std::uint64_t kHeaderRoom = 2048;  // for our own field and line ends

TEST_CASE("without an answer of the scan service there is a fault", "[virus]") {
  Rig rig;
  rig.filter->on_header("Subject", " x");
  MessageEdits edits;
  CHECK_THROWS_AS(rig.filter->on_end(edits, [] {}), Fault);
  const Verdict verdict = rig.filter->on_fault(Fault("a", "b", "c"));
  CHECK(verdict.action() == Action::defer);
  CHECK(verdict.code() == 451);
}

TEST_CASE("a message that just fits is scanned", "[virus]") {
  Rig rig;
  rig.send_body(kMaxMessage - kHeaderRoom);
  MessageEdits edits;
  CHECK_THROWS_AS(rig.filter->on_end(edits, [] {}), Fault);
}

TEST_CASE("a message that is too large is unscannable", "[virus]") {
  struct Case {
    VirusAction policy;
    Action action;
    bool held;
  };
  const Case cases[] = {{VirusAction::reject, Action::reject, false},
                        {VirusAction::discard, Action::discard, false},
                        {VirusAction::quarantine, Action::proceed, true}};
  for (const Case& c : cases) {
    Rig rig({VirusAction::discard, c.policy, EncryptedAction::header});
    rig.filter->on_header("x-mxfeed-virus", " clean");
    rig.send_body(kMaxMessage);
    MessageEdits edits;
    const Verdict verdict = rig.filter->on_end(edits, [] {});
    CHECK(verdict.action() == c.action);
    CHECK(verdict.reason() == "virus-unscannable");
    CHECK(edits.quarantine_reason().empty() != c.held);
    CHECK(edits.ordered().front().kind == HeaderEdit::Kind::remove);
  }
}

TEST_CASE("large messages wait when they have taken all memory for them", "[virus]") {
  constexpr std::uint64_t kRoom = 4 << 20;
  Rig rig({}, kRoom);
  const auto defers = [&](Filter& filter) {
    try {
      const std::vector<std::byte> megabyte(1 << 20);
      for (int i = 0; i < 4; ++i) filter.on_body(megabyte);
      return false;
    } catch (const MemoryBudgetSpent& fault) {
      const Verdict verdict = filter.on_fault(fault);
      CHECK(verdict.code() == 452);
      CHECK(verdict.reason() == "virus-no-memory");
      return true;
    }
  };
  const auto another = [&] { return rig.connection->begin(kNobody); };
  CHECK_FALSE(defers(*rig.filter));
  auto second = another();
  CHECK(defers(*second));
  // The one that was deferred has given back what it had; a small one needs nothing.
  auto small = another();
  const std::vector<std::byte> chunk(65'535);
  for (int i = 0; i < 10; ++i) CHECK_NOTHROW(small->on_body(chunk));
  rig.filter.reset();
  auto third = another();
  CHECK_FALSE(defers(*third));
}

TEST_CASE("a message beyond a limit of the session is refused or deleted", "[virus]") {
  Rig rejects({VirusAction::discard, VirusAction::quarantine, EncryptedAction::header});
  CHECK(rejects.filter->on_limit("header").code() == 552);
  Rig deletes({VirusAction::reject, VirusAction::discard, EncryptedAction::header});
  CHECK(deletes.filter->on_limit("header").action() == Action::discard);
}

GatewayPolicy shared_postfix() {
  GatewayPolicy gateway;
  gateway.scan_other_mail = false;
  gateway.smtputf8 = false;
  return gateway;
}

Envelope envelope_from(const char* address) {
  Envelope envelope;
  envelope.client.address = IpAddress::parse(address);
  return envelope;
}

TEST_CASE("other mail is not looked at", "[virus]") {
  Rig rig({}, MemoryBudget::default_size(), shared_postfix());
  const Envelope envelope = envelope_from("198.51.100.7");
  const auto filter = rig.connection->begin(envelope);
  CHECK(filter->on_recipient({"a", "other.example", false}).action() == Action::proceed);
  // A refused recipient of ours makes no difference.
  CHECK(filter->on_recipient({"a", "acme.example"}).code() == 452);
  CHECK(filter->on_data().action() == Action::proceed);
  CHECK_FALSE(filter->wants_content());
  // Also where Postfix sends the content all the same.
  filter->on_header("X-Mxfeed-Virus", " clean");
  const std::vector<std::byte> chunk(65'535);
  filter->on_body(chunk);
  CHECK(filter->on_limit("header").action() == Action::proceed);
  MessageEdits edits;
  const Verdict verdict = filter->on_end(edits, [] {});
  CHECK(verdict.action() == Action::proceed);
  CHECK(verdict.reason().empty());
  CHECK(edits.empty());
}

TEST_CASE("mail is scanned if any of its recipients is ours", "[virus]") {
  Rig rig({}, MemoryBudget::default_size(), shared_postfix());
  Envelope envelope = envelope_from("198.51.100.7");
  envelope.authenticated = true;
  const std::vector<Recipient> cases[] = {
      {{"a", "acme.example"}},
      {{"a", "other.example"}, {"a", "acme.example"}},
      {{"a", "acme.example"}, {"a", "other.example"}}};
  for (const auto& recipients : cases) {
    const auto filter = rig.connection->begin(envelope);
    for (const auto& recipient : recipients) {
      CHECK(filter->on_recipient(recipient).action() == Action::proceed);
    }
    CHECK(filter->on_data().action() == Action::proceed);
    CHECK(filter->wants_content());
    MessageEdits edits;
    CHECK_THROWS_AS(filter->on_end(edits, [] {}), Fault);  // no scan service
  }
}

TEST_CASE("an answer at DATA is asked for where other mail is not scanned", "[virus]") {
  CHECK_FALSE(Rig().milter->needs().data_verdict);
  CHECK(Rig({}, MemoryBudget::default_size(), shared_postfix())
            .milter->needs()
            .data_verdict);
}

TEST_CASE("mail that needs SMTPUTF8 is refused before it is scanned", "[virus]") {
  Rig rig({}, MemoryBudget::default_size(), shared_postfix());
  Envelope envelope = envelope_from("198.51.100.7");
  envelope.smtputf8 = true;
  const auto filter = rig.connection->begin(envelope);
  const Verdict refused = filter->on_recipient({"ä", "acme.example"});
  CHECK(refused.code() == 550);
  CHECK(refused.enhanced_code() == "5.6.7");
  CHECK(filter->on_recipient({"a", "acme.example"}).action() == Action::proceed);
  filter->on_header("Subject", " ä");
  MessageEdits edits;
  const Verdict verdict = filter->on_end(edits, [] {});
  CHECK(verdict.code() == 550);
  CHECK(verdict.reason() == "virus-smtputf8");
}

TEST_CASE("mail is deferred if the session fails", "[virus]") {
  CHECK_FALSE(Rig().milter->passes_without_session());
}

}  // namespace
}  // namespace mxfeed::virus
