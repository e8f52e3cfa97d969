// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/mailbox_edit.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

const std::string kFirst = "[[domain]]\nname = \"a.example\"\n";
const std::string kBox =
    "  [[domain.mailbox]]\n  user = \"info\"\n  password = \"{A}b\"\n";

struct AddCase {
  const char* name;
  std::string before, after;
};

TEST_CASE("a mailbox is added at the end of its domain", "[config]") {
  const AddCase rows[] = {
      {"the only domain", kFirst, kFirst + kBox},
      {"no line end", "[[domain]]\nname = \"a.example\"", kFirst + kBox},
      {"another domain behind it", kFirst + "\n# the next\n[[domain]]\nname = \"b\"\n",
       kFirst + kBox + "\n# the next\n[[domain]]\nname = \"b\"\n"},
      {"a customer behind it", kFirst + "\n[customer]\nid = \"c\"\n",
       kFirst + kBox + "\n[customer]\nid = \"c\"\n"},
      {"tables of its own", kFirst + "  [domain.virus]\n  infected = \"reject\"\n\n",
       kFirst + "  [domain.virus]\n  infected = \"reject\"\n" + kBox + "\n"},
      {"another mailbox", kFirst + kBox, kFirst + kBox + kBox},
      {"lines that end in CRLF", "[[domain]]\r\nname = \"a.example\"\r\n",
       "[[domain]]\r\nname = \"a.example\"\r\n  [[domain.mailbox]]\r\n  user = "
       "\"info\"\r\n  password = \"{A}b\"\r\n"},
  };
  for (const AddCase& row : rows) {
    CAPTURE(row.name);
    CHECK(add_mailboxes(row.before, 2, {{"info", "{A}b"}}) == row.after);
  }
}

TEST_CASE("the password of a mailbox is changed in its own table", "[config]") {
  const std::string sales =
      "  [[domain.mailbox]]\n  password = '{A}c' # old\n  user = 'Sales'\n";
  const std::string second = "[[domain]]\nname = \"b.example\"\n" + kBox;
  const std::string text = kFirst + kBox + sales + second;
  CHECK(set_mailbox_password(text, 2, {"info", "{A}x"}) ==
        kFirst + "  [[domain.mailbox]]\n  user = \"info\"\n  password = \"{A}x\"\n" +
            sales + second);
  CHECK(set_mailbox_password(text, 2, {"sales", "{A}x"}) ==
        kFirst + kBox +
            "  [[domain.mailbox]]\n  password = \"{A}x\" # old\n  user = 'Sales'\n" +
            second);
  CHECK_FALSE(set_mailbox_password(text, 2, {"other", "{A}x"}));
  // An inline table is for an operator.
  CHECK_FALSE(set_mailbox_password(
      kFirst + "mailbox = [{ user = \"info\", password = \"{A}b\" }]\n", 2,
      {"info", "{A}x"}));
}

}  // namespace
}  // namespace mxfeed
