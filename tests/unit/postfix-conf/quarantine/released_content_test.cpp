// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/quarantine/released_content.h"

#include "tests/support/catch.h"

namespace mxfeed::quarantine {
namespace {

struct Case {
  const char* name;
  const char* content;
  const char* sent;
};

const Case kCases[] = {
    {"empty", "", ".\r\n"},
    {"as it came", "Subject: x\r\n\r\nbody\r\n", "Subject: x\r\n\r\nbody\r\n.\r\n"},
    {"our fields go, with their continuation",
     "A: 1\r\nX-Mxfeed-Virus: infected\r\n (Eicar)\r\nx-mxfeed-quarantine: virus\r\nB: "
     "2\r\n\r\nx\r\n",
     "A: 1\r\nB: 2\r\n\r\nx\r\n.\r\n"},
    {"others' continuations stay", "A: 1\r\n X-Mxfeed-Virus: x\r\n\r\n",
     "A: 1\r\n X-Mxfeed-Virus: x\r\n\r\n.\r\n"},
    {"the body stays", "A: 1\r\n\r\nX-Mxfeed-Virus: x\r\n",
     "A: 1\r\n\r\nX-Mxfeed-Virus: x\r\n.\r\n"},
    {"what is no header stays", "hello\r\nX-Mxfeed-Virus: x\r\n",
     "hello\r\nX-Mxfeed-Virus: x\r\n.\r\n"},
    {"dots are doubled", "A: 1\r\n\r\n.\r\n..x\r\na.\r\n",
     "A: 1\r\n\r\n..\r\n...x\r\na.\r\n.\r\n"},
    {"a header alone", "X-Mxfeed-Virus: x\r\n", ".\r\n"},
    {"no line end at the end", "A: 1\r\n\r\nx", "A: 1\r\n\r\nx\r\n.\r\n"},
};

TEST_CASE("what is released is the message as it came, however it is read",
          "[quarantine]") {
  for (const auto& c : kCases) {
    CAPTURE(c.name);
    const std::string content = c.content;
    for (std::size_t cut = 1; cut <= content.size() + 1; ++cut) {
      CAPTURE(cut);
      ReleasedContent released;
      std::string sent;
      for (std::size_t at = 0; at < content.size(); at += cut) {
        sent += released.next(std::string_view(content).substr(at, cut));
      }
      CHECK(sent + released.finish() == c.sent);
    }
  }
}

TEST_CASE("a line of the header that is very long is not kept in memory",
          "[quarantine]") {
  ReleasedContent released;
  const std::string piece(1000, 'x');
  std::string sent = released.next("A: ");
  for (int i = 0; i < 100; ++i) sent += released.next(piece);
  CHECK(sent.size() > 30'000);
  sent += released.next("\r\nX-Mxfeed-Virus: x\r\n");
  CHECK(sent.ends_with("x\r\nX-Mxfeed-Virus: x\r\n"));
}

}  // namespace
}  // namespace mxfeed::quarantine
