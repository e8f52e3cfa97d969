// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/exchange.h"

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

constexpr auto discard = VirusAction::discard;
constexpr auto reject = VirusAction::reject;
constexpr auto quarantine = VirusAction::quarantine;

WantedFor wanted(const std::string& recipient, VirusAction infected,
                 VirusAction unscannable = discard) {
  return {recipient,
          recipient.substr(recipient.find('@') + 1),
          {infected, unscannable, EncryptedAction::header}};
}

// For viruses it would be deleted.
WantedFor with_attachments(AttachmentAction action, const std::string& recipient) {
  WantedFor one = wanted(recipient, discard);
  one.attachments = {AttachmentPreset::strict, {}, action};
  return one;
}

std::vector<std::string> held_for(const Exchange& exchange) {
  std::vector<std::string> recipients;
  for (const auto& one : exchange.held) recipients.push_back(one.recipient);
  return recipients;
}

struct Case {
  const char* name;
  std::vector<WantedFor> recipients;
  ScanVerdict verdict;
  std::vector<std::string> held;
  HeldKind kind = HeldKind::virus;
};

const Case kCases[] = {
    {"one", {wanted("a@h.example", quarantine)}, ScanVerdict::infected, {"a@h.example"}},
    {"deleted for another",
     {wanted("a@d.example", discard), wanted("a@h.example", quarantine)},
     ScanVerdict::infected,
     {"a@h.example"}},
    {"held for one that wants it rejected",
     {wanted("a@h.example", quarantine), wanted("a@r.example", reject)},
     ScanVerdict::infected,
     {"a@h.example", "a@r.example"}},
    {"unscannable has an action of its own",
     {wanted("a@h.example", quarantine, discard),
      wanted("b@h.example", discard, quarantine)},
     ScanVerdict::unscannable,
     {"b@h.example"}},
    {"for an attachment, its own action counts",
     {with_attachments(AttachmentAction::quarantine, "a@h.example"),
      with_attachments(AttachmentAction::discard, "a@d.example"),
      with_attachments(AttachmentAction::reject, "a@r.example")},
     ScanVerdict::clean,
     {"a@h.example", "a@r.example"},
     HeldKind::attachment},
};

TEST_CASE("each recipient gets the action of its own domain, and nobody the message",
          "[virus]") {
  for (const auto& c : kCases) {
    CAPTURE(c.name);
    const auto exchange =
        exchange_recipients(c.recipients, c.verdict, c.kind, "why", "token");
    REQUIRE(exchange);
    REQUIRE(exchange->removed.size() == c.recipients.size());
    for (std::size_t i = 0; i < c.recipients.size(); ++i) {
      CHECK(exchange->removed[i] == c.recipients[i].recipient);
    }
    CHECK(held_for(*exchange) == c.held);
    for (const auto& one : exchange->held) {
      CHECK(one.kind == c.kind);
      CHECK(one.token == "token");
      CHECK(one.reason == "why");
      CHECK(one.domain == one.recipient.substr(one.recipient.find('@') + 1));
    }
  }
}

TEST_CASE("a recipient that cannot be exchanged spoils it for all", "[virus]") {
  for (const char* recipient : {"postmaster", "\"a b\"@h.example", "<a@h.example>", ""}) {
    CAPTURE(recipient);
    WantedFor odd = wanted("x@d.example", discard);
    odd.recipient = recipient;
    CHECK_FALSE(exchange_recipients({wanted("a@h.example", quarantine), odd},
                                    ScanVerdict::infected, HeldKind::virus, "", ""));
  }
}

}  // namespace
}  // namespace mxfeed::virus
