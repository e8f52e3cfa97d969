// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/view.h"

#include <string>

#include "milters/spam/model/subject_tags.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

std::string view_of(const std::string& mail) {
  return structured_view(read_message(mail, Time{}));
}

TEST_CASE("the view has the sender's fields, the parts, the text and the links",
          "[spam]") {
  CHECK(view_of("Received: from x by y\n"
                "From: =?utf-8?q?J=C3=B6rg?= <j@a.example>\n"
                "To: us@b.example\n"
                "Subject: =?utf-8?b?SGk=?=\n  there\n"
                "X-Mailer: M 1.0\n"
                "Content-Type: multipart/mixed; boundary=x\n"
                "\n"
                "--x\nContent-Type: text/html\n\n"
                "<style>p{}</style><p>A &amp;  <b>b</b></p><div hidden>secret</div>"
                "<a href=\"https://c.example/?q\">c</a><img src=http://d.example/i>\n"
                "--x\nContent-Type: application/pdf; name=bill.pdf\n\nPDF\n--x--\n") ==
        "From: J\xC3\xB6rg <j@a.example>\n"
        "Subject: Hi there\n"
        "Content-Type: multipart/mixed; boundary=x\n"
        "X-Mailer: M 1.0\n"
        "@part text/html\n"
        "@part application/pdf name=bill.pdf\n"
        "@hidden 3\n"
        "\n"
        "A & b c\n"
        "@url https://c.example/?q\n"
        "@image http://d.example/i\n");
}

TEST_CASE("trace fields and verdicts are not in the view", "[spam]") {
  const std::string with = view_of(
      "Return-Path: <x@trace.example>\nReceived: trace\nDelivered-To: trace\n"
      "Authentication-Results: mx; trace=pass\nX-Spam-Status: Yes, trace\n"
      "X-Spam-Flag: trace\nX-Rspamd-Score: trace\nX-Mxfeed-Spam: trace\n"
      "X-MS-Exchange-Organization-SCL: trace\nX-Originating-IP: trace\n"
      "Message-ID: <trace@a>\nDate: trace\nSubject: s\n\ntext\n");
  CHECK(with.find("trace") == std::string::npos);
  CHECK(with == view_of("Subject: s\n\ntext\n"));
}

TEST_CASE("the tags of filters are taken from the subject", "[spam]") {
  struct {
    const char* subject;
    const char* shown;
  } const rows[] = {
      {"[SPAM: high] Hi", "Hi"},
      {"[SPAM: med] [spam] Hi", "Hi"},
      {"***SPAM*** Hi", "Hi"},
      {"*****SPAM***** [SPAM]Hi", "Hi"},
      {"{Spam?} Hi", "Hi"},
      {"[list] Hi", "[list] Hi"},
      {"Hi [SPAM]", "Hi [SPAM]"},
      {"Spam for lunch", "Spam for lunch"},
      {"[SPAM", "[SPAM"},
      {"***", "***"},
      {"* spam", "* spam"},
      {"", ""},
      {"[a very long name of a list about spam] Hi",
       "[a very long name of a list about spam] Hi"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.subject);
    CHECK(without_verdicts(row.subject) == row.shown);
  }
}

TEST_CASE("no section pushes another out of the view", "[spam]") {
  std::string mail = "From: " + std::string(5000, 'f') + "\nSubject: the subject\n" +
                     "Content-Type: multipart/mixed; boundary=x\n\n";
  for (int i = 0; i < 300; ++i) {
    mail += "--x\nContent-Type: a/b; name=" + std::string(100, 'n') + "\n\n.\n";
  }
  mail += "--x\nContent-Type: text/plain\n\nplain " + std::string(20'000, 'p') + "\n";
  mail += "--x\nContent-Type: text/html\n\nhtml " + std::string(20'000, 'h');
  for (int i = 0; i < 300; ++i) {
    mail += "<a href=http://c.example/" + std::string(300, 'u') + ">";
  }
  const std::string view = view_of(mail + "\n--x--\n");
  CHECK(view.size() <= kViewBytes);
  CHECK(view.size() > kViewBytes - 1000);
  for (const char* part : {"Subject: the subject\n", "@part a/b name=nnn", "plain ppp",
                           "html hhh", "@url http://c.example/uuu"}) {
    CAPTURE(part);
    CHECK(view.find(part) != std::string::npos);
  }
}

TEST_CASE("hidden text does not count as text", "[spam]") {
  const std::string visible = "Content-Type: text/html\n\n<p>buy now</p>";
  const std::string view =
      view_of(visible + "<div style='display:none'>meeting minutes</div>\n");
  CHECK(view.find("minutes") == std::string::npos);
  CHECK(view.find("@hidden ") != std::string::npos);
  CHECK(view_of(visible).find("@hidden") == std::string::npos);
}

}  // namespace
}  // namespace mxfeed::spam
