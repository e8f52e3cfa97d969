// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/held_address.h"

#include "common/base/text.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

const std::string kToken = "0123456789abcdef0123456789abcdef";

std::string local_part_of(const std::string& address) {
  return address.substr(0, address.rfind('@'));
}

TEST_CASE("an address of the quarantine says all that is held", "[mail]") {
  for (const HeldKind kind :
       {HeldKind::virus, HeldKind::attachment, HeldKind::spam, HeldKind::trap,
        HeldKind::report_spam, HeldKind::report_ham}) {
    for (const char* recipient :
         {"info@acme.example",
          "J\xC3\xBCrgen@b\xC3\xBC"
          "cher.example",
          "INFO@Acme.Example.", "a%b@acme.example", "a!b@acme.example"}) {
      CAPTURE(recipient);
      const HeldAddress held{kind, kToken, "acme.example",
                             std::string("infected (\0\r\n@)", 15), recipient};
      const auto text = held.str();
      CHECK(text.ends_with("@quarantine.mxfeed.invalid"));
      CHECK(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._@") ==
            std::string::npos);
      CHECK(HeldAddress::parse(local_part_of(text)) == held);
    }
  }
}

TEST_CASE("a long reason is cut", "[mail]") {
  HeldAddress held{HeldKind::virus, kToken, "acme.example", std::string(500, 'x'),
                   "info@acme.example"};
  const auto parsed = HeldAddress::parse(local_part_of(held.str()));
  REQUIRE(parsed);
  CHECK(parsed->reason == std::string(HeldAddress::kMaxReason, 'x'));
}

TEST_CASE("nothing else is an address of the quarantine", "[mail]") {
  const auto good = local_part_of(
      HeldAddress{HeldKind::virus, kToken, "a.example", "r", "i@a.example"}.str());
  REQUIRE(HeldAddress::parse(good));
  const auto replaced = [&](const std::string& what, const std::string& by) {
    std::string text = good;
    return text.replace(text.find(what), what.size(), by);
  };
  const std::string cases[] = {
      "",
      "info",
      "....",
      good + ".",
      "." + good,
      good + "0",
      replaced("virus", "other"),
      replaced("virus", "VIRUS"),
      replaced(kToken, "abc"),
      replaced(to_hex("a.example"), ""),
      replaced(to_hex("i@a.example"), ""),
      replaced(to_hex("i@a.example"), to_hex("i@a.example\r\nDATA")),
      replaced(to_hex("i@a.example"), to_hex("no-domain")),
      replaced(to_hex("i@a.example"), to_hex(std::string(600, 'x') + "@a.example")),
  };
  for (const auto& text : cases) {
    CAPTURE(text);
    CHECK_FALSE(HeldAddress::parse(text));
  }
}

TEST_CASE("only addresses that Postfix reads as they stand can be exchanged", "[mail]") {
  for (const char* address : {"info@acme.example", "a.b+c=d@acme.example", "%@a"}) {
    CAPTURE(address);
    CHECK(is_exchangeable(address));
  }
  for (const char* address :
       {"", "postmaster", "@acme.example", "info@", "a@b@c", "\"a b\"@acme.example",
        "a b@acme.example", "a\\b@acme.example", "<info@acme.example>",
        "@relay.example:info@acme.example", "info(x)@acme.example", "info@[192.0.2.1]",
        "a\x7f@acme.example", "a\n@acme.example", "a,b@acme.example"}) {
    CAPTURE(address);
    CHECK_FALSE(is_exchangeable(address));
  }
}

TEST_CASE("a receipt has a token, and no two tokens are equal", "[mail]") {
  const auto token = random_token();
  CHECK(is_token(token));
  CHECK(random_token() != token);
  CHECK(parse_receipt(local_part_of(receipt_address(token))) == token);
  for (const char* text : {"released", "released.", "released.abc", "Released.abc"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_receipt(text));
  }
  CHECK_FALSE(parse_receipt("released." + token + ".x"));
  CHECK_FALSE(parse_receipt("deleted." + token));
}

}  // namespace
}  // namespace mxfeed
