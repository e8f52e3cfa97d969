// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/authentication.h"

#include "common/base/text.h"
#include "milters/spam/score.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

GatewayPolicy::Spam settings() {
  GatewayPolicy::Spam spam;
  spam.authserv_id = "mx.isp.example";
  spam.authserv_results = {"dkim", "dmarc", "arc"};
  spam.arc_sealers = {"lists.example"};
  return spam;
}

// Of "Name: value" lines.
VerifierFields read(const GatewayPolicy::Spam& spam, std::string_view header) {
  VerifierFields fields(spam);
  for (const std::string_view line : split(header, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon != line.npos) fields.field(line.substr(0, colon), line.substr(colon + 1));
  }
  return fields;
}

#define OUR "Authentication-Results: mx.isp.example; "

// A list has changed the message, and sealed what it had found before.
#define FORWARDED                                                   \
  OUR "dkim=fail header.d=bank.example; arc=pass\n" OUR             \
      "dmarc=fail (p=reject) header.from=bank.example\n"            \
      "ARC-Seal: i=2; cv=pass; d=lists.example; s=x; b=y\n"         \
      "ARC-Authentication-Results: i=2; lists.example; dmarc=pass " \
      "header.from=bank.example\n"                                  \
      "ARC-Seal: i=1; cv=none; d=other.example; b=y\n"              \
      "ARC-Authentication-Results: i=1; other.example; dmarc=fail " \
      "header.from=bank.example\n"

TEST_CASE("of verifiers' results those count that no sender can have made", "[spam]") {
  struct {
    const char* name;
    const char* header;
    const char* found;
    std::size_t forged;
  } const rows[] = {
      {"none", "Received: x\nFrom: a@b\n", "", 0},
      {"on top", OUR "dkim=pass header.d=A.example\nReceived: x\n", "dkim=a.example", 0},
      {"the name in other letters",
       "authentication-results: MX.isp.example; dkim=pass header.d=a.example\nReceived: "
       "x\n",
       "dkim=a.example", 0},
      {"two verifiers, and a method that is not theirs",
       OUR "dmarc=pass header.from=a.example\n" OUR "dkim=pass header.i=@a.example\n"
           "DKIM-Filter: x\n" OUR "spf=pass smtp.mailfrom=a.example\nReceived: x\n",
       "dkim=a.example dmarc=pass", 1},
      {"of another server",
       "Authentication-Results: mx.other.example; dkim=pass header.d=a\n", "", 0},
      {"below the sender's first field",
       "Received: x\n" OUR "dkim=pass header.d=bank.example\n", "", 1},
      {"below it, with no results", "Received: x\n" OUR "none\n", "", 1},
      {"on top, but below the verifier's",
       OUR "dkim=none\n" OUR "dkim=pass header.d=bank.example\nReceived: x\n",
       "dkim=none", 1},
      {"the same with another method, which the verifier does not report",
       OUR "dkim=none; dmarc=none header.from=a\n" OUR
           "dmarc=pass header.from=bank.example; dkim=pass header.d=bank.example\n",
       "dkim=none dmarc=none", 1},
      {"two signatures",
       OUR "dkim=fail header.d=a.example; dkim=pass header.d=b.example\n",
       "dkim=b.example", 0},
      {"a bad signature", OUR "dkim=fail header.d=a.example\n", "dkim=fail", 0},
      {"nothing to verify", OUR "none\n", "", 0},
      {"a trusted sealer", FORWARDED, "dkim=fail dmarc=fail arc=lists.example", 0},
      {"a chain that is broken",
       OUR "arc=fail\nARC-Seal: i=1; d=lists.example\n"
           "ARC-Authentication-Results: i=1; lists.example; dmarc=pass "
           "header.from=b.example\n",
       "", 0},
      {"a sealer that is not trusted",
       OUR "arc=pass\nARC-Seal: i=1; d=other.example\n"
           "ARC-Authentication-Results: i=1; other.example; dmarc=pass "
           "header.from=b.example\n",
       "", 0},
      {"a trusted sealer, but another sealed after him",
       OUR "arc=pass\nARC-Seal: i=2; d=other.example\nARC-Seal: i=1; d=lists.example\n"
           "ARC-Authentication-Results: i=1; lists.example; dmarc=pass "
           "header.from=b.example\n",
       "", 0},
      {"a trusted sealer who saw another author",
       OUR
       "arc=pass; dmarc=fail header.from=bank.example\nARC-Seal: i=1; d=lists.example\n"
       "ARC-Authentication-Results: i=1; lists.example; dmarc=pass "
       "header.from=b.example\n",
       "dmarc=fail", 0},
  };
  const GatewayPolicy::Spam spam = settings();
  for (const auto& row : rows) {
    INFO(row.name);
    const VerifierFields fields = read(spam, row.header);
    CHECK(fields.result().str() == row.found);
    MessageEdits edits;
    CHECK(fields.remove_forged(edits) == row.forged);
  }
}

TEST_CASE("without a verifier in the configuration no field counts or is removed",
          "[spam]") {
  const GatewayPolicy::Spam spam;
  const VerifierFields fields =
      read(spam, OUR "dkim=pass header.d=a\nReceived: x\n" OUR "dkim=pass header.d=a\n");
  CHECK(fields.result().str().empty());
  MessageEdits edits;
  CHECK(fields.remove_forged(edits) == 0);
}

TEST_CASE("what no verifier always reports is the sender's", "[spam]") {
  GatewayPolicy::Spam spam = settings();
  spam.authserv_results = {"dkim"};
  const VerifierFields fields =
      read(spam, OUR "dkim=none\n" OUR "dmarc=pass header.from=bank.example\n" OUR
                     "arc=pass\nARC-Seal: i=1; d=lists.example\n"
                     "ARC-Authentication-Results: i=1; lists.example; dmarc=pass "
                     "header.from=bank.example\n");
  CHECK(fields.result().str() == "dkim=none");
  CHECK_FALSE(fields.result().confirms("bank.example"));
  MessageEdits edits;
  CHECK(fields.remove_forged(edits) == 2);
}

TEST_CASE("a good signature or DMARC proves an organisation", "[spam]") {
  const GatewayPolicy::Spam spam = settings();
  const auto of = [&](const char* header) { return read(spam, header).result(); };
  CHECK(of(OUR "dkim=pass header.d=mail.bank.example\n").confirms("bank.example"));
  CHECK_FALSE(of(OUR "dkim=pass header.d=other.example\n").confirms("bank.example"));
  CHECK(of(OUR "dmarc=pass header.from=bank.example\n").confirms("news.bank.example"));
  CHECK_FALSE(of(OUR "dmarc=fail header.from=bank.example\n").confirms("bank.example"));
  CHECK(of(FORWARDED).confirms("bank.example"));
  CHECK_FALSE(of(OUR "dkim=pass\n").confirms(""));
}

TEST_CASE("what authentication tells of spam", "[spam]") {
  using spf::Result;
  struct {
    const char* name;
    const char* header;
    std::optional<Result> spf;
    std::vector<std::string_view> slugs;
  } const rows[] = {
      {"SPF alone, pass", "", Result::pass, {}},
      {"SPF alone, fail", "", Result::fail, {"spf-fail"}},
      {"SPF alone, softfail", "", Result::softfail, {}},
      {"SPF is off", "", std::nullopt, {}},
      {"DMARC", OUR "dmarc=pass header.from=a.example\n", Result::fail, {"dmarc-pass"}},
      {"DMARC through a list", FORWARDED, Result::fail, {"dmarc-pass"}},
      {"opendmarc",
       OUR "dmarc=fail (p=reject dis=none) header.from=a\n",
       Result::pass,
       {"dmarc-fail-reject"}},
      {"rspamd",
       OUR "dmarc=fail reason=\"x\" header.from=a (policy=quarantine)\n",
       Result::pass,
       {"dmarc-fail-quarantine"}},
      {"a property",
       OUR "dmarc=fail header.from=a policy.dmarc=reject\n",
       Result::pass,
       {"dmarc-fail-reject"}},
      {"no wish",
       OUR "dmarc=fail (p=none) header.from=a\n",
       Result::pass,
       {"dmarc-fail"}},
      {"a bad signature", OUR "dkim=fail header.d=a\n", Result::pass, {"dkim-fail"}},
      {"nothing at all", OUR "dkim=none\n", Result::none, {"unauthenticated"}},
      {"the same without an answer for SPF", OUR "dkim=none\n", Result::temperror, {}},
      {"signed", OUR "dkim=pass header.d=a.example\n", Result::none, {}},
      {"all of it",
       OUR "dkim=fail header.d=a; dmarc=fail (p=reject) header.from=a\n",
       Result::fail,
       {"dmarc-fail-reject", "dkim-fail", "spf-fail", "unauthenticated"}},
  };
  const GatewayPolicy::Spam spam = settings();
  for (const auto& row : rows) {
    INFO(row.name);
    std::vector<std::string_view> slugs;
    for (const Evidence& one : evidence_of(read(spam, row.header).result(), row.spf)) {
      slugs.push_back(one.slug);
    }
    CHECK(slugs == row.slugs);
  }
}

}  // namespace
}  // namespace mxfeed::spam
