// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/dns.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed::dns {
namespace {

struct NameCase {
  const char* name;
  std::string text;
  const char* want;  // nullptr: no such question
};

std::string labels(std::size_t octets) {
  std::string text(octets, 'a');
  for (std::size_t i = 50; i < octets; i += 50) text[i] = '.';
  return text;
}

const NameCase kNames[] = {
    {"plain", "example.org", "example.org"},
    {"upper case", "Example.ORG", "example.org"},
    {"final dot", "example.org.", "example.org"},
    {"one label", "org", "org"},
    {"underscore", "_25._tcp.mx.example.org", "_25._tcp.mx.example.org"},
    {"unusual characters", "a+b=c@d.example.org", "a+b=c@d.example.org"},
    {"empty", "", nullptr},
    {"dot", ".", nullptr},
    {"empty label", "a..b", nullptr},
    {"leading dot", ".a", nullptr},
    {"two final dots", "a..", nullptr},
    {"space", "a b.example", "a b.example"},
    {"tab", "a\tb.example", nullptr},
    {"NUL", std::string("a\0b", 3), nullptr},
    {"not ASCII", "b\xC3\xBC", nullptr},
    {"label of 63", std::string(63, 'a') + ".b", ""},
    {"label of 64", std::string(64, 'a') + ".b", nullptr},
    {"name of 253", labels(253), ""},
    {"name of 254", labels(254), nullptr},
};

TEST_CASE("a question has a name that can exist", "[net]") {
  for (const auto& c : kNames) {
    DYNAMIC_SECTION(c.name) {
      const auto question = Question::parse(c.text, RecordType::mx);
      REQUIRE(question.has_value() == (c.want != nullptr));
      if (question) CHECK(question->name() == (*c.want == '\0' ? c.text : c.want));
    }
  }
}

TEST_CASE("an address has a reverse name", "[net]") {
  const auto reverse = [](const char* address) {
    return reverse_name(IpAddress::parse(address).value());
  };
  CHECK(reverse("192.0.2.1") == "1.2.0.192.in-addr.arpa");
  CHECK(reverse("::ffff:192.0.2.1") == "1.2.0.192.in-addr.arpa");
  CHECK(reverse("2001:db8::567:89ab") ==
        "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST_CASE("a list has an address in reverse", "[net]") {
  CHECK(list_key(*IpAddress::parse("192.0.2.7")) == "7.2.0.192");
  CHECK(list_key(*IpAddress::parse("2001:db8::7")) ==
        "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2");
}

}  // namespace
}  // namespace mxfeed::dns
