// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mailbox.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("mailboxes are parsed leniently", "[mail]") {
  struct {
    const char* name;
    const char* in;
    const char* out;  // display|address;
  } const rows[] = {
      {"address only", "a@b.example", "|a@b.example;"},
      {"angle brackets", "A B <a@b>", "A B|a@b;"},
      {"quoted, with a comma", "\"B, A\" <a@b>, c@d", "B, A|a@b;|c@d;"},
      {"encoded", "=?utf-8?q?=C3=A4?= <a@b>", "\xC3\xA4|a@b;"},
      {"encoded in quotes", "\"=?utf-8?q?x@y?=\" <a@b>", "x@y|a@b;"},
      {"a comment", "a@b (A \\) B)", "|a@b;"},
      {"a group", "friends: a@b, C <c@d>;", "|a@b;C|c@d;"},
      {"an empty group", "undisclosed-recipients:;", ""},
      {"unclosed", "\"A <a@b", "|A<a@b;"},
      {"two addresses", "<a@b> <c@d>", "|a@bc@d;"},
      {"nothing", " , ,", ""},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    std::string out;
    for (const Mailbox& mailbox : parse_mailboxes(row.in)) {
      out += mailbox.display + "|" + mailbox.address + ";";
    }
    CHECK(out == row.out);
  }
  CHECK(parse_mailboxes("a@b,c@d,e@f", 2).size() == 2);
}

}  // namespace
}  // namespace mxfeed
