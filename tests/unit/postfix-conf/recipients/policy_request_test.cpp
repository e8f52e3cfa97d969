// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/policy_request.h"

#include "tests/support/catch.h"

namespace mxfeed::recipients {
namespace {

using State = ParsedRequest::State;

const std::string kRequest =
    "request=smtpd_access_policy\n"
    "protocol_state=RCPT\n"
    "protocol_name=ESMTP\n"
    "client_address=192.0.2.1\n"
    "sender=\n"
    "recipient=info@acme.example\n"
    "instance=123.456.7\n"
    "policy_context=defer\n"
    "\n";

TEST_CASE("a request has the attributes that count", "[policy_request]") {
  const auto parsed = parse_policy_request(kRequest + "request=next");
  REQUIRE(parsed.state == State::whole);
  CHECK(parsed.used == kRequest.size());
  CHECK(parsed.request == PolicyRequest{"smtpd_access_policy", "RCPT",
                                        "info@acme.example", "defer", "123.456.7"});
}

TEST_CASE("a request is not taken before its empty line", "[policy_request]") {
  for (std::size_t i = 0; i < kRequest.size(); ++i) {
    CAPTURE(i);
    CHECK(parse_policy_request(kRequest.substr(0, i)).state == State::partial);
  }
}

TEST_CASE("values keep spaces and equals signs", "[policy_request]") {
  const auto parsed = parse_policy_request(
      "request=smtpd_access_policy\nrecipient=a =b@acme.example\n\n");
  REQUIRE(parsed.state == State::whole);
  CHECK(parsed.request.recipient == "a =b@acme.example");
}

TEST_CASE("the first of two attributes with the same name counts", "[policy_request]") {
  const auto parsed = parse_policy_request(
      "request=smtpd_access_policy\nrecipient=a@acme.example\nrecipient=b@x.example\n\n");
  CHECK(parsed.request.recipient == "a@acme.example");
}

TEST_CASE("malformed requests are told apart from partial ones", "[policy_request]") {
  const std::string request = "request=smtpd_access_policy\n";
  const std::string line(ParsedRequest::kMaxLine - 2, 'x');
  std::string many = request;
  while (many.size() < ParsedRequest::kMaxTotal) many += "a=b\n";
  struct Case {
    const char* name;
    std::string received;
    State state;
  };
  const Case cases[] = {
      {"nothing", "", State::partial},
      {"an empty line alone", "\n", State::malformed},
      {"no request attribute", "recipient=info@acme.example\n\n", State::malformed},
      {"a line without an equals sign", request + "recipient\n\n", State::malformed},
      {"a line without a name", request + "=x\n\n", State::malformed},
      {"NUL", request + std::string("a=\0\n\n", 5), State::malformed},
      {"the longest line", request + "a=" + line + "\n\n", State::whole},
      {"one octet more", request + "a=" + line + "x\n\n", State::malformed},
      {"the longest line, without its end", request + "a=" + line, State::partial},
      {"one octet more, without its end", request + "a=" + line + "x", State::malformed},
      {"too many lines", many, State::malformed},
      {"too many lines, then the end", many + "\n", State::malformed},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const auto parsed = parse_policy_request(c.received);
      CHECK(static_cast<int>(parsed.state) == static_cast<int>(c.state));
      CHECK(parsed.problem.empty() == (c.state != State::malformed));
    }
  }
}

TEST_CASE("a reply has a line and an empty line, and names no server",
          "[policy_request]") {
  CHECK(render_policy_reply(Verdict::accept) == "action=DUNNO\n\n");
  CHECK(render_policy_reply(Verdict::refuse) == "action=550 5.1.1 no such recipient\n\n");
  CHECK(render_policy_reply(Verdict::try_again) ==
        "action=450 4.1.1 recipient cannot be verified at present, try again later\n\n");
}

TEST_CASE("recipients are parsed, quoted and compared", "[policy_request]") {
  struct Case {
    const char* name;
    std::string text;
    const char* str;  // null: not a recipient
    const char* key;
  };
  const Case cases[] = {
      {"plain", "info@acme.example", "info@acme.example", "info@acme.example"},
      {"upper case", "Info@ACME.example", "Info@acme.example", "info@acme.example"},
      {"a space", "a b@acme.example", "\"a b\"@acme.example", "a b@acme.example"},
      {"an at sign", "a@b@acme.example", "\"a@b\"@acme.example", "a@b@acme.example"},
      {"a quote", "a\"b@acme.example", "\"a\\\"b\"@acme.example", "a\"b@acme.example"},
      {"an extension", "info+x@acme.example", "info+x@acme.example",
       "info+x@acme.example"},
      {"U-labels",
       "info@b\xc3\xbc"
       "cher.example",
       "info@xn--bcher-kva.example", "info@xn--bcher-kva.example"},
      {"a local part in UTF-8", "j\xc3\xb6rg@acme.example", "j\xc3\xb6rg@acme.example",
       "j\xc3\xb6rg@acme.example"},
      {"no domain", "info", nullptr, ""},
      {"an empty domain", "info@", nullptr, ""},
      {"no local part", "@acme.example", nullptr, ""},
      {"nothing", "", nullptr, ""},
      {"a literal", "info@[192.0.2.1]", nullptr, ""},
      {"a control character", "a\rb@acme.example", nullptr, ""},
      {"DEL", "a\x7f@acme.example", nullptr, ""},
      {"not UTF-8", "a\xff@acme.example", nullptr, ""},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const auto recipient = Recipient::parse(c.text);
      REQUIRE(recipient.has_value() == (c.str != nullptr));
      if (!recipient) continue;
      CHECK(recipient->str() == c.str);
      CHECK(recipient->key() == c.key);
    }
  }
  CHECK(Recipient::parse(std::string(256, 'a') + "@acme.example"));
  CHECK_FALSE(Recipient::parse(std::string(257, 'a') + "@acme.example"));
}

TEST_CASE("only a local part outside ASCII needs SMTPUTF8", "[policy_request]") {
  CHECK_FALSE(Recipient::parse("info@b\xc3\xbc"
                               "cher.example")
                  ->needs_smtputf8());
  CHECK(Recipient::parse("j\xc3\xb6rg@acme.example")->needs_smtputf8());
}

}  // namespace
}  // namespace mxfeed::recipients
