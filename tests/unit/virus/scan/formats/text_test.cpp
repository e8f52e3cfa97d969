// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/text.h"

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/virus/scan/formats/made.h"

namespace mxfeed::virus {
namespace {

TEST_CASE("mail and encoded files are found in what no walk reads", "[virus]") {
  const std::string header = "Content-Transfer-Encoding: base64\r\n\r\n";
  const struct {
    const char* name;
    std::string content;
    const char* found;
  } cases[] = {
      {"a mail", "Subject: x\r\nContent-Type: text/plain\r\n\r\n" + payload(), "message"},
      {"a mail in which nothing is encoded", "Subject: x\r\n\r\n" + payload(), ""},
      {"a header in a text", "Hello\r\n\r\nx: y\r\n" + header + payload(), "message"},
      {"a header in a text, without an empty line before it",
       "Hello\r\n\r\nyou\r\n" + header + payload(), "message"},
      {"a header in a text, behind its first line", "Hello\r\n" + header + payload(),
       "message"},
      {"quoted-printable",
       "Hello\r\n\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + payload(),
       "message"},
      {"a header that encodes nothing",
       "Hello\r\n\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + payload(), ""},
      {"uuencode", "#!/bin/sh\nbegin 644 x\n" + payload(), "message"},
      {"base64 with a name", "begin-base64 644 x\n" + payload(), "message"},
      {"yEnc", "=ybegin line=128 size=3 name=x\n" + payload(), "message"},
      {"BinHex", "(This file must be converted with BinHex 4.0)\n" + payload(),
       "message"},
      {"a word", "Then we\nbegin our tour\n" + payload(), ""},
      {"a word that is all there is", "begin", ""},
      {"nothing", "", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    CHECK(found_in(c.content, examine_text) == c.found);
  }
}

TEST_CASE("each message of a mailbox file is found", "[virus]") {
  const std::string from = "From a@b Thu Jan  1 00:00:00 1970\n";
  const struct {
    const char* name;
    std::string content;
    const char* found;
  } cases[] = {
      {"one message", from + "x: y\n\n" + payload(), ""},
      {"two", from + "x: y\n\ntext\n\n" + from + "x: y\n\n" + payload(), "message"},
      {"two, with CR LF", from + "x: y\r\n\r\ntext\r\n\r\n" + from + payload(),
       "message"},
      {"a line in the text", from + "x: y\n\ntext\n" + from + payload(), ""},
      {"no mailbox", "x: y\n\n" + from + payload(), ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    CHECK(found_in(c.content, examine_mailbox) == c.found);
  }
}

}  // namespace
}  // namespace mxfeed::virus
