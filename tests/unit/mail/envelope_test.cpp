// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/envelope.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct RecipientCase {
  const char* name;
  std::string address;
  std::string local_part;
  std::string domain;
};

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

const RecipientCase kRecipients[] = {
    {"plain", "<c@d.example>", "c", "d.example"},
    {"without brackets", "c@d.example", "c", "d.example"},
    {"case", "<C@D.Example>", "C", "d.example"},
    {"final dot", "<c@d.example.>", "c", "d.example"},
    {"two final dots", "<c@d.example..>", "c", "d.example."},
    {"A-label", "<c@XN--bcher-kva.example>", "c", "xn--bcher-kva.example"},
    {"U-label", "<c@b\u00FCcher.example>", "c", "b\u00FCcher.example"},
    {"no label of IDNA", "<c@\u2603.d.example>", "c", "\u2603.d.example"},
    {"mixed labels", "<c@xn--a.b\u00FC.example>", "c", "xn--a.b\u00FC.example"},
    {"not UTF-8", "<c@\xC3.d.example>", "c", "\xC3.d.example"},
    {"control character", "<c@\x01.d.example>", "c", "\x01.d.example"},
    {"NUL", std::string("<c@\0.d.example>", 15), "c", std::string("\0.d.example", 11)},
    {"underscore", "<c@_x.d.example>", "c", "_x.d.example"},
    {"hyphens", "<c@-x-.d.example>", "c", "-x-.d.example"},
    {"empty label", "<c@x..d.example>", "c", "x..d.example"},
    {"leading dot", "<c@.d.example>", "c", ".d.example"},
    {"all digits", "<c@192.0.2.1>", "c", "192.0.2.1"},
    {"address literal", "<c@[192.0.2.1]>", "c", "[192.0.2.1]"},
    {"label of 64", "<c@" + std::string(64, 'x') + ".d.example>", "c",
     std::string(64, 'x') + ".d.example"},
    {"name of 254", "<c@" + repeated("x.", 122) + "d.example>", "c",
     repeated("x.", 122) + "d.example"},
    {"name of 2 kB", "<c@" + repeated("x.", 1000) + "d.example>", "c",
     repeated("x.", 1000) + "d.example"},
    {"long local part", "<" + std::string(400, 'c') + "@d.example>",
     std::string(320, 'c'), "d.example"},
    {"quoted", "<\"c d\"@d.example>", "c d", "d.example"},
    {"quoted at sign", "<\"c@x.example\"@d.example>", "c@x.example", "d.example"},
    {"quoted, domain of no form", "<\"c\"@x..d.example>", "c", "x..d.example"},
    {"source route", "<@x.example:c@d.example>", "c", "d.example"},
    {"several at signs", "<c@x@d.example>", "c@x", "d.example"},
    {"comment", "<c(x)@d.example>", "c(x)", "d.example"},
    {"no domain", "<postmaster>", "postmaster", ""},
    {"at sign at the end", "<c@>", "c", ""},
    {"at sign alone", "<@>", "", ""},
    {"null", "<>", "", ""},
    {"open bracket", "<", "", ""},
    {"empty", "", "", ""},
};

TEST_CASE("a recipient's domain is what Postfix looks up", "[mail]") {
  for (const auto& c : kRecipients) {
    DYNAMIC_SECTION(c.name) {
      const auto got = Recipient::parse(c.address);
      CHECK(got.local_part == c.local_part);
      CHECK(got.domain == c.domain);
    }
  }
}

TEST_CASE("postmaster and abuse are roles in any case", "[mail]") {
  CHECK(Recipient::parse("<PostMaster@d.example>").role() == "postmaster");
  CHECK(Recipient::parse("<\"abuse\"@\u2603.d.example>").role() == "abuse");
  CHECK(Recipient::parse("<postmaster+x@d.example>").role().empty());
}

}  // namespace
}  // namespace mxfeed
