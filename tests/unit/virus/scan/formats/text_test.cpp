// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/text.h"

#include <string>
#include <vector>

#include "common/base/base64.h"
#include "milters/virus/scan/formats/text_lines.h"
#include "tests/support/catch.h"
#include "tests/unit/virus/scan/formats/made.h"

namespace mxfeed::virus {
namespace {

// Lines of 76 characters.
std::string base64_of_payload() {
  const std::string all = base64(payload());
  std::string lines;
  for (std::size_t at = 0; at < all.size(); at += 76)
    lines += all.substr(at, 76) + "\r\n";
  return lines;
}

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
      {"a folded field",
       "Hello\r\n\r\nContent-Transfer-Encoding:\r\n base64\r\n\r\n" + payload(),
       "message"},
      {"base64 without a header", "\x01\x02\n" + base64_of_payload(), "others"},
      {"two lines of base64", base64_of_payload().substr(0, 2 * 78) + "\r\n" + "word",
       ""},
      {"uuencode", "#!/bin/sh\nbegin 644 x\n#8V%T\n`\nend\n", "others"},
      {"uuencode with any mode", "  BEGIN 999 x\n#8V%T\n`\nend\n", "others"},
      {"base64 with a name", "begin-base64 644 x\nY2F0\n====\n", "others"},
      {"yEnc", "=ybegin line=128 size=3 name=x\n" + payload(), "message"},
      {"BinHex", "(This file must be converted with BinHex 4.0)\n\n:$f*TEQKPH#jP\n",
       "others"},
      {"a word", "Then we\nbegin our tour\n" + payload(), ""},
      {"a word that is all there is", "begin", ""},
      {"nothing", "", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    CHECK(found_in(c.content, examine_text) == c.found);
  }
}

TEST_CASE("a part in a text ends where the text or the part does", "[virus]") {
  const std::string header = "Content-Transfer-Encoding: base64\r\n\r\n";
  const std::string part = header + "Y2F0";
  const struct {
    const char* name;
    std::string content;
    std::vector<std::string> parts;
  } cases[] = {
      {"the end of all", "x\r\n\r\n" + part, {part}},
      {"a delimiter", "x\r\n--b\r\n" + part + "\r\n--b--\r\nrest", {part}},
      {"another one's",
       "x\r\n--b\r\n" + part + "\r\n--c\r\nrest",
       {part + "\r\n--c\r\nrest"}},
      {"a delimiter for some",
       "x\r\n--b\r\n" + part + "\r\n--b~\r\nrest\r\n--b\r\n",
       {part, part + "\r\n--b~\r\nrest"}},
      {"binary data", "x\r\n\r\n" + part + "\r\n\x01\x02\xff\r\n", {part + "\r\n"}},
      {"binary data in its last line", "x\r\n\r\n" + part + "\xa0\x82", {part}},
      {"the next part",
       "x\r\n\r\n" + part + "\r\n\r\n" + header + "ZG9n",
       {part + "\r\n\r\n", header + "ZG9n"}},
      {"two parts with delimiters",
       "--b\r\n" + part + "\r\n--b\r\n" + header + "ZG9n\r\n--b--\r\n",
       {part, header + "ZG9n"}},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    std::vector<std::string> parts;
    for (const TextSection& section : read_text_lines(c.content).sections) {
      parts.push_back(c.content.substr(section.begin, section.end - section.begin));
    }
    CHECK(parts == c.parts);
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
