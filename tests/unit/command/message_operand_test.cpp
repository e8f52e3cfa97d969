// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command/message_operand.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct MailCase {
  const char* name;
  const char* given;
  const char* received;
};

const MailCase kMails[] = {
    {"as SMTP brings it", "A: 1\r\n\r\nx\r\n", "A: 1\r\n\r\nx\r\n"},
    {"lines of a file", "A: 1\n\nx\n", "A: 1\r\n\r\nx\r\n"},
    {"no end of the last line", "A: 1\n\nx", "A: 1\r\n\r\nx\r\n"},
    {"a CR within a line", "A: 1\r2\n\nx\ry\n", "A: 1 2\r\n\r\nx y\r\n"},
    {"several CR at the end", "A: 1\r\r\n\nx\r\r\r\n", "A: 1\r\n\r\nx\r\n"},
    {"a mailbox", "From a@b Thu\nA: 1\n\nFrom x\n",
     "X-Mailbox-Line: From a@b Thu\r\nA: 1\r\n\r\nFrom x\r\n"},
    {"a quoted mailbox", ">From a@b\nA: 1\n\n",
     "X-Mailbox-Line: >From a@b\r\nA: 1\r\n\r\n"},
    {"no empty line before the body", "A: 1\nhello\nB: 2\n",
     "A: 1\r\n\r\nhello\r\nB: 2\r\n"},
    {"a folded field", "A: 1\n 2\n\t3\n\nx\n", "A: 1\r\n 2\r\n\t3\r\n\r\nx\r\n"},
    {"a first line that continues nothing", " A: 1\n\nx\n", "\r\n A: 1\r\n\r\nx\r\n"},
    {"blanks before the colon", "A : 1\n\n", "A: 1\r\n\r\n"},
    {"a blank in a name", "A B: 1\n\n", "\r\nA B: 1\r\n\r\n"},
    {"a header alone", "A: 1\n", "A: 1\r\n\r\n"},
    {"nothing", "", "\r\n"},
};

TEST_CASE("a file is read as Postfix would hand the mail over", "[command]") {
  for (const auto& c : kMails) {
    DYNAMIC_SECTION(c.name) {
      CHECK(as_received(c.given) == c.received);
    }
  }
}

}  // namespace
}  // namespace mxfeed
