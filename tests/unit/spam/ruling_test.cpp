// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/ruling.h"

#include <fmt/format.h>

#include "milters/spam/score.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

SenderList list_of(std::initializer_list<const char*> texts) {
  SenderList list;
  for (const char* text : texts) list.add(std::get<ListEntry>(ListEntry::parse(text)));
  return list;
}

TEST_CASE("what a domain says of senders follows the table", "[spam]") {
  const SenderPolicy senders{
      list_of({"@partner.example", "boss@shop.example", "192.0.2.0/24"}),
      list_of({"@shop.example", "198.51.100.7", "spammer@free.example"}),
      {}};
  const struct {
    const char* claim;
    const char* client;
    const char* sender;
    const char* from;
    const char* confirmed;  // the domain that SPF confirms
    const char* want;
  } rows[] = {
      {"nobody", "203.0.113.1", "a@b.example", "a@b.example", "b.example", "none"},
      {"allowed by From", "203.0.113.1", "bounce@partner.example", "a@partner.example",
       "partner.example", "allow"},
      {"not proved", "203.0.113.1", "a@partner.example", "a@partner.example", "",
       "allow-unproved"},
      {"a forged From", "203.0.113.1", "x@evil.example", "a@partner.example",
       "evil.example", "allow-unproved"},
      {"a network needs no proof", "192.0.2.9", "a@b.example", "a@b.example", "",
       "allow"},
      {"blocked by the sender", "203.0.113.1", "news@shop.example", "a@b.example", "",
       "block"},
      {"blocked by From", "203.0.113.1", "", "news@shop.example", "", "block"},
      {"blocked by the client", "198.51.100.7", "a@b.example", "a@b.example", "b.example",
       "block"},
      {"one of a blocked domain", "203.0.113.1", "boss@shop.example", "boss@shop.example",
       "shop.example", "allow"},
      {"that one forged", "203.0.113.1", "boss@shop.example", "boss@shop.example", "",
       "block"},
      {"several authors, one of them allowed", "203.0.113.1", "x@evil.example",
       "a@partner.example, x@evil.example", "partner.example", "allow-unproved"},
      {"the allowed one sends in another's name", "203.0.113.1", "a@partner.example",
       "boss@acme.example", "partner.example", "allow-unproved"},
      {"several authors, one of them blocked", "203.0.113.1", "x@evil.example",
       "x@evil.example, spammer@free.example", "", "block"},
  };
  for (const auto& row : rows) {
    INFO(row.claim);
    Envelope envelope;
    envelope.client.address = IpAddress::parse(row.client);
    envelope.sender = row.sender;
    const auto message =
        read_message(fmt::format("From: {}\r\n\r\nx\r\n", row.from), Time{});
    const auto ruling = rule(senders, envelope, message, [&](const std::string& domain) {
      return domain == row.confirmed;
    });
    CHECK(to_string(ruling.kind) == row.want);
  }
}

TEST_CASE("an allowed sender has no level, whatever else is found", "[spam]") {
  std::vector<Evidence> findings{*evidence_of({Ruling::Kind::allowed, {}})};
  for (const Group group : kGroups) {
    if (group != Group::test && group != Group::rule) {
      findings.push_back({"x", group, 100.0});
    }
  }
  CHECK(level(score(findings), SpamPolicy{}) == SpamLevel::none);
}

TEST_CASE("a blocked sender is high without other evidence", "[spam]") {
  const std::vector<Evidence> findings{*evidence_of({Ruling::Kind::blocked, {}})};
  CHECK(level(score(findings), SpamPolicy{}) == SpamLevel::high);
}

}  // namespace
}  // namespace mxfeed::spam
