// SPDX-License-Identifier: GPL-2.0-or-later
//
// tests/system/virus_file_test.py compares the same rules with a real Postfix.
#include <string>

#include "common/command/message_operand.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using namespace std::string_literals;

struct Case {
  const char* name;
  std::string file;
  std::string header;  // "name:value|..."
  std::string body;
};

const std::string kLong(5000, 'y');

const Case kCases[] = {
    {"plain", "From: a\r\nSubject: x\r\n\r\nb\r\n", "From: a|Subject: x|", "b\r\n"},
    {"LF", "From: a\n\nb\n\n", "From: a|", "b\r\n\r\n"},
    {"nothing", "", "", ""},
    {"no line end", "A: b\n\nc", "A: b|", "c\r\n"},
    {"no body", "A: b\n", "A: b|", ""},
    {"no header", "\nb\n", "", "b\r\n"},
    {"folded", "A: b\r\n\tc\r\n \r\nD:\r\n e\r\n\r\n", "A: b\n\tc\n |D:\n e|", ""},
    {"CR in lines", "A: b\rc\r\n\r\nd\re\r\r\n\rf\r\n", "A: b c|", "d e \r\n f\r\n"},
    {"CR makes a folded line", "A: b\r\n\r\r\n\r\n", "A: b\n |", ""},
    {"CR as line end is none", "A: b\rC: d\r\rbody\r", "A: b C: d  body |", ""},
    {"no separator", "A: b\r\nno field\r\nC: d\r\n", "A: b|", "no field\r\nC: d\r\n"},
    {"no separator, text first", "text\r\nA: b\r\n", "", "text\r\nA: b\r\n"},
    {"a folded line first", " a\r\nB: c\r\n", "", " a\r\nB: c\r\n"},
    {"CR first continues the hidden Received", "\rA: b\r\nC: d\r\n", "C: d|", ""},
    {"CR before From", "\rFrom a\r\nB: c\r\n", "B: c|", ""},
    {"From", "From a\r\nB: c\r\n\r\nd\r\n", "X-Mailbox-Line: From a|B: c|", "d\r\n"},
    {"From twice, quoted", ">From a\n>>From b\nC: d\n",
     "X-Mailbox-Line: >From a|X-Mailbox-Line: >>From b|C: d|", ""},
    {"From later", "A: b\r\nFrom c\r\n", "A: b|", "From c\r\n"},
    {"From in the body", "A: b\r\n\r\nFrom c\r\n", "A: b|", "From c\r\n"},
    {"a blank before the colon", "A : b\r\nC\t :d\r\n", "A: b|C:d|", ""},
    {"a blank in the name", "A b: c\r\n", "", "A b: c\r\n"},
    {"no name", ": a\r\n", "", ": a\r\n"},
    {"8 bits in a name", "A\xe9: b\r\n", "", "A\xe9: b\r\n"},
    {"8 bits in a value", "A: \xe9\r\n", "A: \xe9|", ""},
    {"NUL in a value", "A: b\0c\r\n d\0e\r\n"s, "A: b\n d|", ""},
    {"NUL in a name", "A: b\r\nC\0: d\r\n"s, "A: b|", "C\0: d\r\n"s},
    {"NUL alone", "A: b\r\n\0\r\nC: d\r\n"s, "A: b|", "\0\r\nC: d\r\n"s},
    {"NUL in the body", "\r\na\0b\r\n"s, "", "a\0b\r\n"s},
    {"dropped fields", "Return-Path: <a>\r\n b\r\nbcc: c\r\nD: e\r\n", "D: e|", ""},
    {"a long line", "A: " + kLong + "\r\n\r\n" + kLong + "\r\n", "A: " + kLong + "|",
     kLong + "\r\n"},
    {"a field at the limit", "A:" + std::string(59998, 'y') + "\r\n",
     "A:" + std::string(59998, 'y') + "|", ""},
    {"a field above the limit", "A:" + std::string(59999, 'y') + "\r\n",
     "A:" + std::string(59998, 'y') + "|", ""},
    {"a folded field above the limit",
     "A: b\r\n c\r\n " + std::string(60000, 'y') + "\r\n", "A: b\n c|", ""},
};

// "name:value|name:value|" as lines.
std::string lines(std::string_view header) {
  std::string text;
  for (const char c : header) {
    if (c == '|' || c == '\n') {
      text += "\r\n";
    } else {
      text += c;
    }
  }
  return text;
}

TEST_CASE("a file is read as Postfix hands the mail over", "[command]") {
  for (const Case& c : kCases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(as_received(c.file) == lines(c.header) + "\r\n" + c.body);
    }
  }
}

TEST_CASE("what Postfix hands over is kept when it is read again", "[command]") {
  const std::string once =
      as_received("From a\nB : c\n d\nE: \r f\n\nbody\r\r\nFrom x\n");
  CHECK(as_received(once) == once);
}

}  // namespace
}  // namespace mxfeed
