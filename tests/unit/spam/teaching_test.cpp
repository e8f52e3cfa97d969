// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/teaching.h"

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

DomainPolicy domain(const std::string& name, const std::string& customer = "acme") {
  DomainPolicy policy;
  policy.name = name;
  policy.content_class = 1;
  policy.spam.enabled = true;
  policy.teaching = {{"old-sales", "x"},
                     "is-spam",
                     "not-spam",
                     customer,
                     {*Network::parse("203.0.113.7")}};
  return policy;
}

Recipient recipient(const std::string& address) {
  Recipient parsed = Recipient::parse(address);
  parsed.as_received = address;
  return parsed;
}

TEST_CASE("the local part decides what mail to a recipient teaches", "[spam]") {
  struct {
    const char* address;
    std::optional<HeldKind> kind;
  } const rows[] = {
      {"old-sales@acme.example", HeldKind::trap},
      {"Old-Sales@ACME.example", HeldKind::trap},
      {"x@acme.example", HeldKind::trap},
      {"is-spam@acme.example", HeldKind::report_spam},
      {"not-spam@acme.example", HeldKind::report_ham},
      {"old-sales2@acme.example", std::nullopt},
      {"postmaster@acme.example", std::nullopt},
      {"@acme.example", std::nullopt},
  };
  for (const auto& row : rows) {
    CAPTURE(row.address);
    CHECK(taught_by(recipient(row.address), domain("acme.example")) == row.kind);
  }
}

TEST_CASE("nobody teaches where nothing is configured, classified or hosted", "[spam]") {
  const Recipient trap = recipient("x@acme.example");
  DomainPolicy policy = domain("acme.example");
  policy.spam.enabled = false;
  CHECK_FALSE(taught_by(trap, policy));
  policy = domain("acme.example");
  policy.content_class = 0;
  CHECK_FALSE(taught_by(trap, policy));
  policy = domain("acme.example");
  policy.teaching = {};
  CHECK_FALSE(taught_by(trap, policy));
  CHECK_FALSE(taught_by(recipient("@acme.example"), policy));
}

TEST_CASE("domains belong together by their customer", "[spam]") {
  const DomainPolicy acme = domain("acme.example");
  CHECK(is_same_customer(acme, domain("shop.example")));
  CHECK_FALSE(is_same_customer(acme, domain("other.example", "other")));
  CHECK_FALSE(is_same_customer(acme, DomainPolicy{}));
  CHECK(is_same_customer(domain("a.example", ""), domain("a.example", "")));
  CHECK_FALSE(is_same_customer(domain("a.example", ""), domain("b.example", "")));
}

struct ReportCase {
  const char* name;
  const char* to;
  DomainPolicy from;
  bool is_trusted;
  const char* client;
  bool is_confirmed;
  std::string_view refused;  // the reason; empty: the report is taken
  std::string_view proof = "none";
};

TEST_CASE("only what comes from the customer is a report", "[spam]") {
  const DomainPolicy own = domain("acme.example");
  const char* const kStranger = "198.51.100.7";
  const ReportCase rows[] = {
      {"confirmed", "is-spam@acme.example", own, false, kStranger, true, "", "sender"},
      {"by another domain of the customer", "not-spam@acme.example",
       domain("shop.example"), false, kStranger, true, "", "sender"},
      {"by the domain's server", "is-spam@acme.example", own, false, "203.0.113.7", false,
       "", "own-server"},
      {"by a trusted client", "is-spam@acme.example", own, true, kStranger, false, "",
       "trusted-client"},
      {"unconfirmed", "is-spam@acme.example", own, false, kStranger, false,
       "spam-report-unproved"},
      {"by another customer", "is-spam@acme.example", domain("other.example", "other"),
       false, kStranger, true, "spam-report-stranger"},
      {"by another customer's trusted client", "is-spam@acme.example",
       domain("other.example", "other"), true, kStranger, true, "spam-report-stranger"},
      {"by a stranger", "is-spam@acme.example", DomainPolicy{}, false, kStranger, true,
       "spam-report-stranger"},
      {"quoted", "\"is-spam\"@acme.example", own, false, kStranger, true,
       "spam-taught-address"},
      {"to a trap, by a stranger", "x@acme.example", DomainPolicy{}, false, kStranger,
       false, ""},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      TaughtRecipients taught;
      REQUIRE(taught.add(recipient(row.to), own));
      const Reporter reporter{row.is_trusted, IpAddress::parse(row.client), row.from};
      const auto verdict = taught.refusal(reporter, [&] { return row.is_confirmed; });
      CHECK((verdict ? verdict->reason() : "") == row.refused);
      if (verdict) CHECK(verdict->action() == Action::reject);
      LogFields fields;
      taught.describe(fields);
      const bool has_proof =
          fields.str().find("proof=" + std::string(row.proof)) != std::string::npos;
      CHECK(has_proof == taught.has_report());
    }
  }
}

TEST_CASE("a local client has no address", "[spam]") {
  TaughtRecipients taught;
  taught.add(recipient("is-spam@acme.example"), domain("acme.example"));
  const Reporter reporter{false, std::nullopt, domain("acme.example")};
  const auto verdict = taught.refusal(reporter, [] { return false; });
  REQUIRE(verdict);
  CHECK(verdict->reason() == "spam-report-unproved");
}

TEST_CASE("each that teaches is exchanged for an address of the quarantine", "[spam]") {
  const std::string token = random_token();
  TaughtRecipients taught;
  CHECK_FALSE(taught.add(recipient("info@acme.example"), domain("acme.example")));
  CHECK(taught.empty());
  taught.add(recipient("X@acme.example"), domain("acme.example"));
  taught.add(recipient("is-spam@acme.example"), domain("acme.example"));
  CHECK_FALSE(taught.empty());
  const Reporter reporter{true, std::nullopt, domain("acme.example")};
  REQUIRE_FALSE(taught.refusal(reporter, [] { return false; }));
  MessageEdits edits;
  taught.hold(token, edits);
  CHECK(edits.removed_recipients() ==
        std::vector<std::string>{"X@acme.example", "is-spam@acme.example"});
  CHECK(edits.added_recipients() ==
        std::vector<std::string>{
            HeldAddress{HeldKind::trap, token, "acme.example", "trap", "X@acme.example"}
                .str(),
            HeldAddress{HeldKind::report_spam, token, "acme.example", "trusted-client",
                        "is-spam@acme.example"}
                .str()});
  LogFields fields;
  taught.describe(fields);
  CHECK(fields.str() == "taught=trap,report_spam proof=trusted-client");
}

}  // namespace
}  // namespace mxfeed::spam
