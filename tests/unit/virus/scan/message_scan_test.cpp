// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/message_scan.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

// An engine that shows nothing but the mail itself.
class FakeEngine : public PlainEngine {
 public:
  void scan(std::string_view content, Seen* shown) override {
    scanned.emplace_back(content);
    if (shown != nullptr) shown->add(content, true);
  }
  void found(ScanVerdict verdict, std::string_view name) override {
    findings.push_back(std::string(to_string(verdict)) + " " + std::string(name));
  }
  bool goes_on() override { return scanned.size() < most; }

  bool scanned_one(std::string_view content) const {
    return std::find(scanned.begin(), scanned.end(), content) != scanned.end();
  }

  std::size_t most = 1000;
  std::vector<std::string> scanned;  // the mail first
  std::vector<std::string> findings;
};

FakeEngine scan(const std::string& mail, std::size_t most = 1000) {
  FakeEngine engine;
  engine.most = most;
  MessageScan(engine, FeedRule::missed).run(mail);
  return engine;
}

const std::string kPiece = "unscannable message/partial";

TEST_CASE("a piece of a message is refused in every disguise", "[virus]") {
  struct Row {
    const char* name;
    std::string mail;
  };
  const std::string in_multipart =
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
  const Row rows[] = {
      {"plain", "Content-Type: message/partial; id=a; number=1\r\n\r\nx\r\n"},
      {"in capitals, in a multipart",
       in_multipart + "Content-Type: Message/Partial; id=a\r\n\r\nx\r\n--b--\r\n"},
      {"before another type",
       "Content-Type: message/partial; id=a\r\n"
       "Content-Type: multipart/mixed; boundary=b\r\n\r\nx\r\n"},
      {"behind another type",
       "Content-Type: text/plain\r\n"
       "Content-Type: message/partial; id=a\r\n\r\nx\r\n"},
      {"with comments", "Content-Type: (a) message (b) / (c) partial (d); id=a\r\n\r\nx"},
      {"in quotes", "Content-Type: \"message/partial\"; id=a\r\n\r\nx\r\n"},
      {"with a blank before the colon",
       in_multipart + "Content-Type : message/partial; id=a\r\n\r\nx\r\n--b--\r\n"},
      {"folded", "Content-Type:\r\n message/partial; id=a\r\n\r\nx\r\n"},
      {"in a message",
       "Content-Type: message/rfc822\r\n\r\n"
       "Content-Type: message/partial; id=a\r\n\r\nx\r\n"},
      {"in an encoded message",
       "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
       "Q29udGVudC1UeXBlOiBtZXNzYWdlL3BhcnRpYWw7IGlkPWEKCng=\r\n"},
      {"in a message that is said to be a file",
       "Content-Type: application/octet-stream\r\n"
       "Content-Transfer-Encoding: base64\r\n\r\n"
       "Q29udGVudC1UeXBlOiBtZXNzYWdlL3BhcnRpYWw7IGlkPWEKCng=\r\n"},
      {"in an encoded multipart",
       "Content-Type: multipart/mixed; boundary=b\r\n"
       "Content-Transfer-Encoding: base64\r\n\r\n"
       "LS1iCkNvbnRlbnQtVHlwZTogbWVzc2FnZS9wYXJ0aWFsCgp4Ci0tYi0tCg==\r\n"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      const FakeEngine engine = scan(row.mail);
      CHECK(std::count(engine.findings.begin(), engine.findings.end(), kPiece) == 1);
    }
  }
  CHECK(scan("Content-Type: message/external-body; access-type=x\r\n\r\nx: y\r\n\r\n")
            .findings.empty());
}

TEST_CASE("text that hides ASCII is scanned as UTF-8, too", "[virus]") {
  const std::string encoded = "Content-Transfer-Encoding: base64\r\n";
  struct Row {
    const char* name;
    std::string fields;
    const char* body;  // "virus" in it
  };
  const Row rows[] = {
      {"UTF-16", "Content-Type: text/html; charset=utf-16\r\n", "AHYAaQByAHUAcw=="},
      {"UTF-16LE", "Content-Type: text/html; charset=\"UTF-16LE\"\r\n",
       "dgBpAHIAdQBzAA=="},
      {"UTF-32BE", "Content-Type: text/plain; charset=utf-32be\r\n",
       "AAAAdgAAAGkAAAByAAAAdQAAAHM="},
      {"UTF-7", "Content-Type: text/html; charset=utf-7\r\n", "K0FIWUFhUUJ5QUhVQWN3LQ=="},
      {"a file with a byte order mark", "Content-Type: application/octet-stream\r\n",
       "//52AGkAcgB1AHMA"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(scan(row.fields + encoded + "\r\n" + row.body + "\r\n").scanned_one("virus"));
    }
  }
}

TEST_CASE("a file that is a message is walked through and scanned as one", "[virus]") {
  // "Subject: i\nContent-Transfer-Encoding: base64\n\nSGVsbG8sIHlvdQ==\n"
  const std::string file =
      "U3ViamVjdDogaQpDb250ZW50LVRyYW5zZmVyLUVuY29kaW5nOiBiYXNlNjQKClNHVnNiRzhzSUhsdmRRPT"
      "0K"
      "\r\n";
  for (const std::string fields :
       {"Content-Type: application/octet-stream\r\n", "Content-Type: text/plain\r\n",
        "Content-Type: application/octet-stream; name=m.EML\r\n"}) {
    const FakeEngine engine =
        scan(fields + "Content-Transfer-Encoding: base64\r\n\r\n" + file);
    CAPTURE(fields);
    CHECK(engine.scanned_one("Hello, you"));
    CHECK(std::count_if(engine.scanned.begin(), engine.scanned.end(),
                        [](const std::string& content) {
                          return content.starts_with("Received: ") &&
                                 content.find("Subject: i") != std::string::npos;
                        }) == 1);
  }
}

TEST_CASE("a file is scanned as programs save it", "[virus]") {
  using std::string_literals::operator""s;
  const std::string as_file = "Content-Type: application/x\r\n";
  CHECK(scan(as_file + "\r\nvirus\0\r\n\r\n"s).scanned_one("virus\0\n\n"s));
  const std::string quoted = "Content-Transfer-Encoding: quoted-printable\r\n";
  CHECK(scan(as_file + quoted + "\r\n=76irus\r\n").scanned_one("virus"));
  CHECK_FALSE(scan(quoted + "\r\n=76irus\r\n").scanned_one("virus"));  // only read
}

TEST_CASE("a mail with too many readings is unscannable", "[virus]") {
  std::string mail = "Content-Type: multipart/mixed";
  for (int i = 0; i < 30; ++i) mail += "; boundary=b" + std::to_string(i) + "x";
  mail += "\r\n\r\n";
  for (int i = 0; i < 30; ++i) mail += "--b" + std::to_string(i) + "x\r\n\r\nhello\r\n";
  CHECK(scan(mail).findings ==
        std::vector<std::string>{"unscannable MIME: too many readings"});
}

TEST_CASE("nothing more is scanned when nothing can change the result", "[virus]") {
  const std::string mail =
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
      "--b\r\n\r\nhello 1\r\n--b\r\n\r\nhello 2\r\n--b--\r\n";
  CHECK(scan(mail).scanned.size() == 3);
  CHECK(scan(mail, 2).scanned.size() == 2);
  CHECK(scan(mail, 1).scanned.size() == 1);
}

AttachmentList attachments_of(const std::string& mail) {
  FakeEngine engine;
  AttachmentCollector attachments;
  MessageScan(engine, FeedRule::missed, &attachments).run(mail);
  return std::move(attachments).take();
}

TEST_CASE("attachments of each reading are listed", "[virus]") {
  // An encoded multipart, which some programs decode: "--b", a part named a.js.
  const std::string encoded =
      "Content-Type: multipart/mixed; boundary=b\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n"
      "LS1iDQpDb250ZW50LVR5cGU6IHRleHQvcGxhaW47IG5hbWU9YS5qcw0KDQp4DQotLWItLQ0K\r\n";
  const AttachmentList in_encoded = attachments_of(encoded);
  CHECK(in_encoded.suffixes == std::vector<std::string>{".js"});
  CHECK(in_encoded.kinds.has(AttachmentKind::script));

  const AttachmentList two_types = attachments_of(
      "Content-Type: text/plain; name=a.txt\r\n"
      "Content-Type: application/x-a; name=b.exe\r\n\r\nHello\r\n");
  CHECK(two_types.suffixes == std::vector<std::string>{".exe", ".txt"});
}

TEST_CASE("a page is searched that does not begin as one", "[virus]") {
  const std::string script = "<script>eval(atob('YWxlcnQoMSk='))</script>\r\n";
  struct Row {
    const char* name;
    std::string type;
    bool is_found;
  };
  const Row rows[] = {{"a page", "text/html", true},
                      {"a picture", "image/svg+xml", true},
                      {"by its name", "application/x-a; name=a.htm", true},
                      {"text", "text/plain", false}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto found =
        attachments_of("Content-Type: " + row.type + "\r\n\r\nDear Sir,\r\n" + script);
    CHECK(found.kinds.has(AttachmentKind::html_smuggling) == row.is_found);
  }
}

}  // namespace
}  // namespace mxfeed::virus
