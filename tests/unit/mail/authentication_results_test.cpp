// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/authentication_results.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

// server|method=result{comments}[property=value,...];...
std::string flat(const AuthenticationResults& all) {
  std::string text = all.server + "|";
  for (const MethodResult& result : all.results) {
    text += result.method + "=" + result.result;
    if (!result.comments.empty()) text += "{" + result.comments + "}";
    for (const auto& [name, value] : result.properties)
      text += "[" + name + "=" + value + "]";
    text += ";";
  }
  return text;
}

TEST_CASE("Authentication-Results are read as RFC 8601 has them", "[mail]") {
  struct {
    const char* name;
    const char* value;
    const char* found;
  } const rows[] = {
      {"nothing found (RFC 8601, B.1)", "example.org 1; none", "example.org|"},
      {"one method (B.3)", "example.com; spf=pass smtp.mailfrom=example.net",
       "example.com|spf=pass[smtp.mailfrom=example.net];"},
      {"several (B.4)",
       "example.com;\r\n auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n"
       " spf=pass smtp.mailfrom=example.net",
       "example.com|auth=pass{cram-md5}[smtp.auth=sender@example.net];"
       "spf=pass[smtp.mailfrom=example.net];"},
      {"comments everywhere (B.7)",
       "foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) ="
       " (wait for it) fail\r\n policy (A dot can go here) . (like that) expired\r\n"
       " (this surprised me) = (as I wasn't expecting it) 1362471462",
       "foo.example.net|dkim=fail{as I wasn't expecting it}[policy.expired=1362471462];"},
      {"opendkim",
       "mx.example; dkim=pass (2048-bit key; unprotected) header.d=a.example "
       "header.i=@a.example header.a=rsa-sha256 header.s=s1 header.b=AbC/+1==",
       "mx.example|dkim=pass{2048-bit key; unprotected}[header.d=a.example]"
       "[header.i=@a.example][header.a=rsa-sha256][header.s=s1][header.b=AbC/+1==];"},
      {"opendmarc", "mx.example; dmarc=fail (p=reject dis=none) header.from=b.example",
       "mx.example|dmarc=fail{p=reject dis=none}[header.from=b.example];"},
      {"rspamd",
       "mx.example;\r\n\tdkim=none;\r\n\tdmarc=fail reason=\"No valid SPF; no DKIM\" "
       "header.from=b.example (policy=reject);\r\n\tarc=pass (\"g.example:s=a:i=1\")",
       "mx.example|dkim=none;dmarc=fail{policy=reject}[header.from=b.example];"
       "arc=pass{\"g.example:s=a:i=1\"};"},
      {"a quoted server", "\"mx; 1\" 1; SPF=Pass SMTP.MailFrom=A@b",
       "mx; 1|spf=pass[smtp.mailfrom=A@b];"},
      {"a quoted local part", "mx; spf=pass smtp.mailfrom=\"a;b\"@c.example",
       "mx|spf=pass[smtp.mailfrom=a;b@c.example];"},
      {"an empty value", "mx; spf=none smtp.mailfrom=; dkim=none",
       "mx|spf=none[smtp.mailfrom=];dkim=none;"},
      {"a nested comment", "mx; spf=pass (a (b) c\\)) smtp.helo=d",
       "mx|spf=pass{a (b) c)}[smtp.helo=d];"},
      {"a comment hides what is in it",
       "mx; spf=none (; dkim=pass header.d=bank.example)",
       "mx|spf=none{; dkim=pass header.d=bank.example};"},
      {"a comment without an end", "mx; dkim=none (; dkim=pass header.d=bank.example",
       "mx|dkim=none{; dkim=pass header.d=bank.example};"},
      {"an error ends the results", "mx; dkim=pass header.d; spf=pass", "mx|"},
      {"a string without an end", "mx; spf=none; dkim=pass header.d=\"bank.example",
       "mx|spf=none;"},
      {"a final semicolon", "mx; spf=pass;", "mx|spf=pass;"},
      {"no results", "mx", "mx|"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const auto found = AuthenticationResults::parse(row.value);
    REQUIRE(found);
    CHECK(flat(*found) == row.found);
  }
  for (const char* const value : {"", " ", "(mx)", "; spf=pass", "=", "\"mx"}) {
    CAPTURE(value);
    CHECK_FALSE(AuthenticationResults::parse(value));
  }
}

TEST_CASE("Authentication-Results are bounded", "[mail]") {
  std::string value = "mx";
  for (int i = 0; i < 1000; ++i) value += "; spf=pass";
  for (int i = 0; i < 1000; ++i) value += " smtp.helo=a";
  const auto found = AuthenticationResults::parse(value);
  REQUIRE(found);
  CHECK(found->results.size() == AuthenticationResults::kMostResults);
  CHECK(found->results.back().properties.size() <=
        AuthenticationResults::kMostProperties);
}

}  // namespace
}  // namespace mxfeed
