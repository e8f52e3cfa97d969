// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/address.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct DomainCase {
  const char* name;
  std::string text;
  const char* want;  // nullptr: no domain
};

const DomainCase kDomains[] = {
    {"plain", "example.org", "example.org"},
    {"upper case", "ExAmPle.ORG", "example.org"},
    {"final dot", "example.org.", "example.org"},
    {"one label", "localhost", "localhost"},
    {"U-label",
     "b\xC3\xBC"
     "cher.example",
     "xn--bcher-kva.example"},
    {"upper case U-label",
     "B\xC3\x9C"
     "CHER.example",
     "xn--bcher-kva.example"},
    {"A-label", "XN--bcher-kva.example", "xn--bcher-kva.example"},
    {"underscore", "_dmarc.example.org", "_dmarc.example.org"},
    {"empty", "", nullptr},
    {"dot", ".", nullptr},
    {"empty label", "a..b", nullptr},
    {"leading dot", ".a.b", nullptr},
    {"hyphen first", "-a.example", nullptr},
    {"hyphen last", "a-.example", nullptr},
    {"space", "a b.example", nullptr},
    {"NUL", std::string("a\0b.example", 11), nullptr},
    {"IPv4 address", "192.0.2.1", nullptr},
    {"label of 63", std::string(63, 'a') + ".example", ""},
    {"label of 64", std::string(64, 'a') + ".example", nullptr},
    {"not UTF-8",
     "b\xFC"
     "cher.example",
     nullptr},
    {"slash", "../etc.example", nullptr},
};

TEST_CASE("a domain becomes lower-case A-labels or nothing", "[mail]") {
  for (const auto& c : kDomains) {
    DYNAMIC_SECTION(c.name) {
      const auto got = Domain::parse(c.text);
      REQUIRE(got.has_value() == (c.want != nullptr));
      if (got) CHECK(got->str() == (*c.want == '\0' ? c.text : c.want));
    }
  }
}

struct ULabelsCase {
  const char* name;
  const char* text;
  const char* want;
};

const ULabelsCase kULabels[] = {
    {"ASCII", "example.org", "example.org"},
    {"A-label", "x.xn--bcher-kva.example", "x.b\u00FCcher.example"},
    {"upper case, decomposed", "BU\u0308CHER.Example.", "b\u00FCcher.example"},
    {"sharp s", "stra\u00DFe.example", "stra\u00DFe.example"},
    {"every label", "xn--e1afmkfd.xn--p1ai",
     "\u043F\u0440\u0438\u043C\u0435\u0440.\u0440\u0444"},
    {"beside an underscore", "_a.xn--bcher-kva.example", "_a.b\u00FCcher.example"},
    {"no A-label", "xn--\x61-.example.org", nullptr},
    {"A-label of a capital", "xn--Bcher-kva.example", "b\u00FCcher.example"},
    {"A-label of ASCII", "xn--abc-.example", nullptr},
    {"A-label of what is no letter", "xn--ls8h.example", "xn--ls8h.example"},
    {"not punycode", "xn--zzzzzzzzzz99999.example", "xn--zzzzzzzzzz99999.example"},
};

TEST_CASE("a domain has a form in U-labels that is read as itself", "[mail]") {
  for (const auto& c : kULabels) {
    DYNAMIC_SECTION(c.name) {
      const auto domain = Domain::parse(c.text);
      REQUIRE(domain.has_value() == (c.want != nullptr));
      if (!domain) continue;
      CHECK(domain->u_labels() == c.want);
      CHECK(Domain::parse(domain->u_labels()) == domain);
    }
  }
}

struct KeyCase {
  const char* name;
  const char* domain;
  std::vector<std::string> keys;
};

const KeyCase kKeys[] = {
    {"ASCII", "example.org", {"example.org"}},
    {"U-labels", "b\u00FCcher.example", {"xn--bcher-kva.example", "b\u00FCcher.example"}},
    {"sharp s", "stra\u00DFe.example", {"xn--strae-oqa.example"}},
    {"final sigma", "\u03BF\u03C2.example", {"xn--0xag.example"}},
    {"not U-labels", "xn--ls8h.example", {"xn--ls8h.example"}},
};

TEST_CASE("a domain has the keys that Postfix can find it under", "[mail]") {
  for (const auto& c : kKeys) {
    DYNAMIC_SECTION(c.name) {
      const auto domain = Domain::parse(c.domain);
      REQUIRE(domain);
      CHECK(domain->map_keys() == c.keys);
      for (const auto& key : c.keys) CHECK(Domain::from_map_key(key) == domain);
    }
  }
  // Other spellings of a domain, which Postfix does not find.
  for (const char* spelling :
       {"A.example", "a.example.", "bu\u0308cher.example", "B\u00DCCHER.example",
        "\uFF41.example", "a\u3002example", "a\u00AD.example", "stra\u00DFe.example",
        "xn--bcher-kva.b\u00FCcher.example", "a..example", "\u2603.example", ""}) {
    CAPTURE(spelling);
    CHECK_FALSE(Domain::from_map_key(spelling));
  }
}

struct PathCase {
  const char* name;
  const char* text;
  bool valid;
  const char* local_part;
  const char* domain;
  const char* str;
};

const PathCase kPaths[] = {
    {"plain", "<a@b.example>", true, "a", "b.example", "a@b.example"},
    {"without brackets", "a@b.example", true, "a", "b.example", "a@b.example"},
    {"null", "<>", true, "", "", ""},
    {"postmaster alone", "<postmaster>", true, "postmaster", "", "postmaster"},
    {"case of the local part", "<A.b@B.example>", true, "A.b", "B.example",
     "A.b@B.example"},
    {"quoted", "<\"a b\"@c.example>", true, "a b", "c.example", "\"a b\"@c.example"},
    {"needlessly quoted", "<\"ab\"@c.example>", true, "ab", "c.example", "ab@c.example"},
    {"quoted at sign", "<\"a@b\"@c.example>", true, "a@b", "c.example",
     "\"a@b\"@c.example"},
    {"quoted pair", "<\"a\\\"b\"@c.example>", true, "a\"b", "c.example",
     "\"a\\\"b\"@c.example"},
    {"source route", "<@x.example,@y.example:a@b.example>", true, "a", "b.example",
     "a@b.example"},
    {"address literal", "<a@[192.0.2.1]>", true, "a", "[192.0.2.1]", "a@[192.0.2.1]"},
    {"final dot", "<a@b.example.>", true, "a", "b.example", "a@b.example"},
    {"two final dots", "<a@b.example..>", false, "", "", ""},
    {"dots anywhere", "<a..b.@c.example>", true, "a..b.", "c.example", "a..b.@c.example"},
    {"no local part", "<@b.example>", false, "", "", ""},
    {"no domain", "<a@>", false, "", "", ""},
    {"open quote", "<\"a@b.example>", false, "", "", ""},
    {"empty quote", "<\"\"@b.example>", false, "", "", ""},
    {"space", "<a b@c.example>", false, "", "", ""},
    {"two at signs", "<a@b@c.example>", false, "", "", ""},
    {"empty", "", false, "", "", ""},
    {"unclosed literal", "<a@[192.0.2.1>", false, "", "", ""},
};

TEST_CASE("a path is split into local part and domain", "[mail]") {
  for (const auto& c : kPaths) {
    DYNAMIC_SECTION(c.name) {
      const auto got = Path::parse(c.text);
      REQUIRE(got.has_value() == c.valid);
      if (!got) continue;
      CHECK(got->local_part == c.local_part);
      CHECK(got->domain == c.domain);
      CHECK(got->str() == c.str);
    }
  }
  CHECK(Path::parse("<" + std::string(308, 'a') + "@b.example>").has_value());
  CHECK_FALSE(Path::parse("<" + std::string(320, 'a') + "@b.example>").has_value());
}

struct AddressCase {
  const char* text;
  const char* str;
  unsigned bits;
  const char* network;
};

const AddressCase kAddresses[] = {
    {"192.0.2.77", "192.0.2.77", 24, "192.0.2.0/24"},
    {"192.0.2.77", "192.0.2.77", 19, "192.0.0.0/19"},
    {"192.0.2.77", "192.0.2.77", 32, "192.0.2.77/32"},
    {"192.0.2.77", "192.0.2.77", 0, "0.0.0.0/0"},
    {"::ffff:192.0.2.77", "192.0.2.77", 24, "192.0.2.0/24"},
    {"2001:DB8::1:2", "2001:db8::1:2", 64, "2001:db8::/64"},
    {"2001:db8:ffff::1", "2001:db8:ffff::1", 36, "2001:db8:f000::/36"},
    {"2001:db8::1", "2001:db8::1", 999, "2001:db8::1/128"},
};

TEST_CASE("an address has one spelling and its networks", "[mail]") {
  for (const auto& c : kAddresses) {
    DYNAMIC_SECTION(c.text << " " << c.bits) {
      const auto got = IpAddress::parse(c.text);
      REQUIRE(got);
      CHECK(got->str() == c.str);
      CHECK(got->network(c.bits) == c.network);
      CHECK(Network::parse(c.network)->contains(*got));
    }
  }
  for (const char* wrong :
       {"", "1.2.3", "1.2.3.4 ", "[::1]", "fe80::1%eth0", "1.2.3.4:25"}) {
    CHECK_FALSE(IpAddress::parse(wrong));
  }
  for (const char* wrong :
       {"10.0.0.0/33", "::/129", "10.0.0.0/", "/8", "10.0.0.0/-1", "::ffff:10.0.0.0/8",
        "::ffff:10.0.0.0/95", "::ffff:10.0.0.0/129"}) {
    CHECK_FALSE(Network::parse(wrong));
  }
  CHECK(Network::parse("::ffff:127.0.0.0/104") == Network::parse("127.0.0.0/8"));
  CHECK(Network::parse("::ffff:127.0.0.1/128") == Network::parse("127.0.0.1/32"));
  CHECK(Network::parse("::ffff:0.0.0.0/96") == Network::parse("0.0.0.0/0"));
  CHECK_FALSE(Network::parse("0.0.0.0/0")->contains(*IpAddress::parse("::1")));
}

TEST_CASE("special addresses are recognised", "[mail]") {
  const auto at = [](const char* text) { return *IpAddress::parse(text); };
  CHECK(at("127.9.9.9").is_loopback());
  CHECK(at("::1").is_loopback());
  CHECK(at("::ffff:127.0.0.1").is_loopback());
  CHECK(at("169.254.1.1").is_link_local());
  CHECK(at("fe80::1").is_link_local());
  for (const char* text :
       {"10.1.1.1", "172.31.0.1", "192.168.0.1", "100.64.0.1", "fd00::1"}) {
    CHECK(at(text).is_private());
  }
  for (const char* text : {"172.32.0.1", "100.128.0.1", "11.0.0.1", "2001:db8::1"}) {
    CHECK_FALSE(at(text).is_private());
  }
  CHECK(at("0.0.0.0").is_unspecified());
  CHECK(at("::").is_unspecified());
  CHECK(at("224.0.0.1").is_multicast());
  CHECK(at("255.255.255.255").is_multicast());
  CHECK(at("ff02::1").is_multicast());
}

TEST_CASE("public addresses are those that the Internet reaches", "[mail]") {
  const auto at = [](const char* text) { return *IpAddress::parse(text); };
  for (const char* text : {"203.0.113.2", "2001:db8::2", "100.128.0.1", "172.32.0.1"}) {
    INFO(text);
    CHECK(at(text).is_public());
  }
  for (const char* text : {"127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1",
                           "100.64.0.1", "169.254.1.1", "fe80::1", "fd00::1", "0.0.0.0",
                           "::", "224.0.0.1", "ff02::1", "::ffff:10.0.0.1"}) {
    INFO(text);
    CHECK_FALSE(at(text).is_public());
  }
}

}  // namespace
}  // namespace mxfeed
