// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/evidence/host.h"

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

TEST_CASE("a host name ends where no host name goes on", "[spam]") {
  struct {
    const char* text;
    const char* host;
  } const rows[] = {
      {"Bank.Example", "bank.example"},
      {"bank.example.", "bank.example"},
      {"bank.example...", "bank.example"},
      {"bank.example- private", "bank.example"},
      {"bank.example-.-", "bank.example"},
      {"bank.example_", "bank.example"},
      {"bank.example,", "bank.example"},
      {"bank.example)", "bank.example"},
      {"bank.example\"x", "bank.example"},
      {"bank.example\xE2\x80\xA6", "bank.example"},
      {"bank.example\xC2\xA0(Ann)", "bank.example"},
      {"b\xC3\xBC"
       "cher.example",
       "xn--bcher-kva.example"},
      {"xn--bcher-kva.example", "xn--bcher-kva.example"},
      {"192.0.2.1.", "192.0.2.1"},
      {"localhost", "localhost"},
      {"...", ""},
      {" bank.example", ""},
      {"", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(leading_host(row.text) == row.host);
  }
}

TEST_CASE("hosts are taken out of URLs", "[spam]") {
  struct {
    const char* url;
    const char* host;
  } const rows[] = {
      {"http://User:pw@Example.ORG:80/x", "example.org"},
      {"https://a.example?x@y", "a.example"},
      {"www.Example.org/x", "www.example.org"},
      {"www.example.org.", "www.example.org"},
      {"https://www.example.org-", "www.example.org"},
      {"https://www.example.org),", "www.example.org"},
      {"http://[2001:DB8::1]:80/", "[2001:db8::1]"},
      {"http://[2001:db8::1", ""},
      {"mailto:a@b", ""},
      {"http://", ""},
      {"", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.url);
    CHECK(host_of(row.url) == row.host);
  }
}

TEST_CASE("hosts of one site share what was registered", "[spam]") {
  CHECK(is_same_site("click.bank.example", "www.bank.example"));
  CHECK(is_same_site("a.bank.co.uk", "bank.co.uk"));
  CHECK_FALSE(is_same_site("bank.co.uk", "evil.co.uk"));
  CHECK_FALSE(is_same_site("bank.example", "bank.example.evil.test"));
  CHECK(is_same_site("localhost", "localhost"));
}

}  // namespace
}  // namespace mxfeed::spam
