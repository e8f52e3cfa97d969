// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/attached_messages.h"

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

const std::string kMail =
    "From: a@b.example\r\nSubject: cheap\r\n"
    "Content-Type: multipart/mixed; boundary=in\r\n\r\n"
    "--in\r\n\r\nBuy.\r\n--in\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: inner\r\n\r\nText\r\n--in--\r\n";

std::string report(const std::string& parts) {
  return "From: user@acme.example\r\nContent-Type: multipart/mixed; boundary=\"out\"\r\n"
         "\r\nsee below\r\n--out\r\n\r\nThis is spam.\r\n" +
         parts + "--out--\r\n";
}

std::string part(const std::string& header, const std::string& content) {
  return "--out\r\n" + header + "\r\n" + content + "\r\n";
}

const std::string kMessage = "Content-Type: message/rfc822\r\n";
const std::string kFile =
    "Content-Type: application/octet-stream; name=\"Re cheap.EML\"\r\n"
    "Content-Transfer-Encoding: base64\r\n";

struct Row {
  const char* name;
  std::string mail;
  std::vector<std::string> want;
};

const Row kRows[] = {
    {"none", report(""), {}},
    {"no MIME", "Subject: this is spam\r\n\r\n> Subject: cheap\r\n", {}},
    {"empty", "", {}},
    {"one, with its parts as they are", report(part(kMessage, kMail)), {kMail}},
    {"two",
     report(part(kMessage, kMail) + part(kMessage, "Subject: x\r\n\r\ny")),
     {kMail, "Subject: x\r\n\r\ny"}},
    {"another type of message",
     report(part("Content-Type: message/global\r\n", "Subject: x\r\n\r\ny")),
     {"Subject: x\r\n\r\ny"}},
    {"a report of a server",
     report(part("Content-Type: message/delivery-status\r\n", "Action: failed\r\n")),
     {}},
    {"an encoded one",
     report(part(kMessage + "Content-Transfer-Encoding: base64\r\n",
                 "U3ViamVjdDogeA0KDQp5")),
     {"Subject: x\r\n\r\ny"}},
    {"a file by its name",
     report(part(kFile, "U3ViamVjdDogeA0KDQp5")),
     {"Subject: x\r\n\r\ny"}},
    {"another file",
     report(part("Content-Type: text/plain; name=\"x.txt\"\r\n", "Subject: x\r\n\r\ny")),
     {}},
    {"an empty one", report(part(kMessage, "")), {}},
    {"in a digest",
     "Content-Type: multipart/digest; boundary=out\r\n\r\n--out\r\n\r\n"
     "Subject: x\r\n\r\ny\r\n--out--\r\n",
     {"Subject: x\r\n\r\ny"}},
    {"without anything beside it",
     "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny\r\n",
     {"Subject: x\r\n\r\ny\r\n"}},
};

TEST_CASE("what is forwarded as attachment is found as it was", "[spam]") {
  for (const auto& row : kRows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(attached_messages(row.mail) == row.want);
    }
  }
}

TEST_CASE("of many and of long attached messages some is taken", "[spam]") {
  std::string parts;
  for (std::size_t i = 0; i < kMostAttached + 1; ++i) parts += part(kMessage, "S: x\r\n");
  CHECK(attached_messages(report(parts)).size() == kMostAttached);
  const auto one =
      attached_messages(report(part(kMessage, std::string(kMostOfAttached + 9, 'x'))));
  REQUIRE(one.size() == 1);
  CHECK(one[0].size() == kMostOfAttached);
}

}  // namespace
}  // namespace mxfeed::spam
