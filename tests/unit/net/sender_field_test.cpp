// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/sender_field.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using spf::Result;

constexpr auto kMailFrom = SenderIdentity::mail_from;
constexpr auto kHelo = SenderIdentity::helo;

struct Composed {
  const char* name;
  Result result;
  SenderIdentity identity;
  std::string domain;
  const char* want;
  bool want_verified;
};

const Composed kComposed[] = {
    {"a pass", Result::pass, kMailFrom, "example.org",
     "spf=pass smtp.mailfrom=example.org", true},
    {"a pass of the null sender", Result::pass, kHelo, "mx.example.org",
     "spf=pass smtp.helo=mx.example.org", false},
    {"none", Result::none, kMailFrom, "example.org", "spf=none smtp.mailfrom=example.org",
     false},
    {"neutral", Result::neutral, kMailFrom, "example.org",
     "spf=neutral smtp.mailfrom=example.org", false},
    {"a fail", Result::fail, kMailFrom, "example.org",
     "spf=fail smtp.mailfrom=example.org", false},
    {"a softfail", Result::softfail, kMailFrom, "example.org",
     "spf=softfail smtp.mailfrom=example.org", false},
    {"a temperror", Result::temperror, kMailFrom, "example.org",
     "spf=temperror smtp.mailfrom=example.org", false},
    {"a permerror", Result::permerror, kMailFrom, "example.org",
     "spf=permerror smtp.mailfrom=example.org", false},
    {"case and a final dot", Result::pass, kMailFrom, "Example.ORG.",
     "spf=pass smtp.mailfrom=example.org", true},
    {"U-labels", Result::pass, kMailFrom,
     "b\xc3\xbc"
     "cher.example",
     "spf=pass smtp.mailfrom=xn--bcher-kva.example", true},
    {"no domain", Result::none, kMailFrom, "", "spf=none", false},
    {"a pass without a domain", Result::pass, kMailFrom, "", "spf=pass", false},
    {"an address literal", Result::none, kHelo, "[192.0.2.1]", "spf=none", false},
    {"a domain that would add a field", Result::pass, kMailFrom,
     "a.example\r\nX-Mxfeed-Sender: own", "spf=pass", false},
    {"a domain that would add a word", Result::fail, kMailFrom, "a.example spf=pass",
     "spf=fail", false},
    {"a domain of odd characters", Result::pass, kMailFrom, "a!b.example", "spf=pass",
     false},
    {"a domain of 300 characters", Result::none, kMailFrom,
     std::string(300, 'a') + ".example", "spf=none", false},
};

TEST_CASE("what is composed is parsed again", "[net]") {
  for (const Composed& c : kComposed) {
    CAPTURE(c.name);
    const SenderCheck check = sender_check(c.result, c.identity, c.domain);
    CHECK(compose(check) == c.want);
    CHECK(check.is_verified() == c.want_verified);
    CHECK(is_verified(c.want) == c.want_verified);
    const auto parsed = parse_sender_check(c.want);
    REQUIRE(parsed);
    CHECK(compose(*parsed) == c.want);
  }
}

TEST_CASE("an own client is verified without a check", "[net]") {
  CHECK(compose(SenderCheck{}) == "own");
  CHECK(parse_sender_check("own") == SenderCheck{});
  CHECK(is_verified("own"));
}

struct Parsed {
  const char* name;
  std::string value;
  bool want_parsed;
  bool want_verified;
};

const Parsed kParsed[] = {
    {"white space around it", " \tspf=pass smtp.mailfrom=a.example\r\n", true, true},
    {"folded", " spf=pass\r\n\tsmtp.mailfrom=a.example", true, true},
    {"a word of a later version", "spf=pass dmarc=fail smtp.mailfrom=a.example x", true,
     true},
    {"own with a word of a later version", "own user=joe", true, true},
    {"empty", "", false, false},
    {"only blanks", " \t ", false, false},
    {"a word that begins with own", "owner", false, false},
    {"upper case", "OWN", false, false},
    {"own in second place", "x own", false, false},
    {"no result", "smtp.mailfrom=a.example", false, false},
    {"an unknown result", "spf=passed smtp.mailfrom=a.example", false, false},
    {"an empty result", "spf= smtp.mailfrom=a.example", false, false},
    {"a result in upper case", "spf=PASS smtp.mailfrom=a.example", false, false},
    {"two domains", "spf=pass smtp.mailfrom=a.example smtp.mailfrom=b.example", false,
     false},
    {"both identities", "spf=pass smtp.helo=a.example smtp.mailfrom=b.example", false,
     false},
    {"an empty domain", "spf=pass smtp.mailfrom=", false, false},
    {"a domain in upper case", "spf=pass smtp.mailfrom=A.example", false, false},
    {"a domain with a final dot", "spf=pass smtp.mailfrom=a.example.", false, false},
    {"an address", "spf=pass smtp.mailfrom=joe@a.example", false, false},
    {"as long as may be",
     "spf=pass smtp.mailfrom=a.example" + std::string(kMaxSenderField - 32, ' '), true,
     true},
    {"longer",
     "spf=pass smtp.mailfrom=a.example" + std::string(kMaxSenderField - 31, ' '), false,
     false},
};

TEST_CASE("a value that is not one of ours verifies nobody", "[net]") {
  for (const Parsed& c : kParsed) {
    CAPTURE(c.name);
    CHECK(parse_sender_check(c.value).has_value() == c.want_parsed);
    CHECK(is_verified(c.value) == c.want_verified);
  }
}

}  // namespace
}  // namespace mxfeed
