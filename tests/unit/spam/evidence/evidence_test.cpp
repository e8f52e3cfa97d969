// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/evidence/evidence.h"

#include <chrono>

#include "milters/spam/score.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

using namespace std::chrono_literals;

const Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 12h;

const std::string kGtubeLine = std::string("XJS*C4JDBQADN1.NSBN3*2IDNEN*") +
                               "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

std::string slugs(const std::string& message) {
  std::string text;
  for (const Evidence& found : judge(sources(), read_message(message, kNow))) {
    if (!text.empty()) text += ' ';
    text += found.slug;
  }
  return text;
}

// A clean header but for the fields that `changes` names: "Subject: x" replaces,
// "-Subject" removes, "+Subject: x" adds one.
std::string with_header(std::initializer_list<std::string> changes,
                        const std::string& body = "Hello\n") {
  std::vector<std::pair<std::string, std::string>> fields = {
      {"Date", " Mon, 23 Nov 2026 10:11:12 +0000"},
      {"From", " Ann <ann@sender.example>"},
      {"To", " bob@acme.example"},
      {"Message-ID", " <1@sender.example>"},
      {"Subject", " Our meeting"}};
  for (const std::string& change : changes) {
    const std::size_t colon = change.find(':');
    if (change.front() == '-') {
      std::erase_if(fields,
                    [&](const auto& field) { return field.first == change.substr(1); });
    } else if (change.front() == '+') {
      fields.emplace_back(change.substr(1, colon - 1), change.substr(colon + 1));
    } else {
      const std::string name = change.substr(0, colon);
      bool replaced = false;
      for (auto& [field, value] : fields) {
        if (field == name) {
          value = change.substr(colon + 1);
          replaced = true;
        }
      }
      if (!replaced) fields.emplace_back(name, change.substr(colon + 1));
    }
  }
  std::string message;
  for (const auto& [name, value] : fields) message += name + ":" + value + "\n";
  return message + "\n" + body;
}

TEST_CASE("header oddities are found", "[spam]") {
  struct {
    const char* name;
    std::initializer_list<std::string> changes;
    const char* slugs;
  } const rows[] = {
      {"a clean header", {}, ""},
      {"no date", {"-Date"}, "date-missing"},
      {"a date that is none", {"Date: soon"}, "date-invalid"},
      {"12 hours ahead", {"Date: Tue, 24 Nov 2026 00:00:00 +0000"}, ""},
      {"more than 12 hours ahead",
       {"Date: Tue, 24 Nov 2026 00:00:01 +0000"},
       "date-future"},
      {"an old date", {"Date: Tue, 24 Nov 1998 00:00:01 +0000"}, ""},
      {"no message id", {"-Message-ID"}, "message-id-missing"},
      {"a bad message id", {"Message-ID: 1@x"}, "message-id-invalid"},
      {"no recipient field", {"-To"}, "to-missing"},
      {"only Cc", {"-To", "Cc: bob@acme.example"}, ""},
      {"undisclosed", {"To: undisclosed-recipients:;"}, "to-undisclosed"},
      {"no author", {"-From"}, "from-missing"},
      {"two From fields", {"+From: x@y.example"}, "from-several"},
      {"no address in From", {"From: Ann"}, "from-invalid"},
      {"another address shown",
       {"From: \"service@bank.example\" <x@y.example>"},
       "from-shows-other-address"},
      {"another address shown, encoded",
       {"From: =?utf-8?q?service=40bank.example?= <x@y.example>"},
       "from-shows-other-address"},
      {"its own address shown",
       {"From: \"ann@sender.example\" <ann@mail.sender.example>"},
       ""},
      {"a list's rewriting", {"From: \"ann@a.example via List\" <list@b.example>"}, ""},
      {"raw 8-bit From", {"From: \xE4 <ann@sender.example>"}, "from-8bit"},
      {"two subjects", {"+Subject: x"}, "field-twice"},
      {"reply to the recipient", {"Reply-To: bob@acme.example"}, "reply-to-recipient"},
      {"reply to the recipient on a list",
       {"Reply-To: bob@acme.example", "List-Id: x"},
       "list-mail"},
      {"no subject", {"-Subject"}, "subject-missing"},
      {"an empty subject", {"Subject: "}, "subject-empty"},
      {"a raw 8-bit subject", {"Subject: caf\xE9"}, "subject-8bit"},
      {"a raw UTF-8 subject", {"Subject: caf\xC3\xA9"}, "subject-8bit"},
      {"an encoded subject", {"Subject: =?utf-8?q?caf=C3=A9?="}, ""},
      {"capitals", {"Subject: BUY THIS NOW"}, "subject-capitals"},
      {"capitals, encoded", {"Subject: =?utf-8?q?BUY_THIS_NOW?="}, "subject-capitals"},
      {"one word in capitals", {"Subject: INVITATION"}, ""},
      {"an exclamation", {"Subject: Great offer!"}, "subject-exclaims"},
      {"money", {"Subject: 100$ a day"}, "subject-money"},
      {"a URL", {"Subject: see http://x.example"}, "subject-url"},
      {"a reply to nothing", {"Subject: Re: Our meeting"}, "subject-fake-reply"},
      {"a reply", {"Subject: Re: Our meeting", "References: <0@x>"}, ""},
      {"high priority", {"X-Priority: 1 (Highest)"}, "priority-high"},
      {"normal priority", {"X-Priority: 3"}, ""},
      {"a list", {"List-Id: <x.example>"}, "list-mail"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(slugs(with_header(row.changes)) == row.slugs);
  }
}

std::string html(const std::string& body) {
  return with_header(
      {"Content-Type: multipart/alternative; boundary=a"},
      "--a\n\nplain\n--a\nContent-Type: text/html\n\n" + body + "\n--a--\n");
}

std::string attachment(const std::string& name) {
  return with_header({"Content-Type: multipart/mixed; boundary=a"},
                     "--a\n\nplain\n--a\nContent-Type: application/octet-stream\n"
                     "Content-Disposition: attachment; filename=\"" +
                         name + "\"\n\nx\n--a--\n");
}

TEST_CASE("oddities of parts and links are found", "[spam]") {
  struct {
    const char* name;
    std::string message;
    const char* slugs;
  } const rows[] = {
      {"text and HTML", html("<p>Hello</p>"), ""},
      {"HTML only", with_header({"Content-Type: text/html"}, "<p>Hello"), "html-only"},
      {"no boundary", with_header({"Content-Type: multipart/mixed"}, "--a\n\nx\n--a--\n"),
       "mime-broken"},
      {"two types",
       with_header(
           {"Content-Type: text/plain", "+Content-Type: multipart/mixed; boundary=a"},
           "--a\n\nx\n--a--\n"),
       "mime-broken"},
      {"junk in base64", with_header({"Content-Transfer-Encoding: base64"}, "SG!k=\n"),
       "mime-odd"},
      {"a missing final boundary is common",
       with_header({"Content-Type: multipart/mixed; boundary=a"}, "--a\n\nx\n"), ""},
      {"much hidden text",
       html("<p>Hi</p><div style='display: none'>" + std::string(500, 'x') + "</div>"),
       "html-hidden-text"},
      {"a preview line",
       html("<span style=\"font-size:0\">" + std::string(100, 'x') + "</span>Hi"), ""},
      {"a refresh", html("<meta http-equiv=Refresh content=\"0; url=x\">"),
       "html-refresh"},
      {"a form", html("<form action=x>"), "html-form"},
      {"one linked image",
       with_header({"Content-Type: text/html"},
                   "<a href=http://x.example><img src=http://x.example/a.png></a>"),
       "html-only html-image-only"},
      {"a link to an address", html("<a href=\"http://192.0.2.1/\">here</a>"),
       "url-address"},
      {"a link that misleads",
       html("<a href=\"http://evil.example/\">https://www.bank.test/login</a>"),
       "url-misleads"},
      {"a link within the domain",
       html("<a href=\"http://click.bank.co.uk/\">www.bank.co.uk</a>"), ""},
      {"only a URL", with_header({}, "http://x.example/abc\n"), "url-only"},
      {"a program", attachment("a.exe"), "attachment-executable"},
      {"a program in disguise", attachment("invoice.pdf   .EXE"),
       "attachment-executable attachment-double-extension"},
      {"a document", attachment("invoice.v2.pdf"), ""},
      {"a uuencoded program", with_header({}, "begin 644 a.scr\n#0V%T\n`\nend\n"),
       "attachment-executable"},
      {"GTUBE", with_header({}, "x\n" + kGtubeLine + "\ny\n"), "gtube"},
      {"GTUBE in base64",
       with_header(
           {"Content-Transfer-Encoding: base64"},
           "WEpTKkM0SkRCUUFETjEuTlNCTjMqMklETkVOKkdUVUJFLVNUQU5EQVJELUFOVEktVUJFLVRF\n"
           "U1QtRU1BSUwqQy4zNFgK\n"),
       "gtube"},
      {"GTUBE in quoted-printable HTML",
       with_header(
           {"Content-Type: text/html", "Content-Transfer-Encoding: quoted-printable"},
           "<p>" + kGtubeLine.substr(0, 40) + "=\n" + kGtubeLine.substr(40)),
       "gtube html-only"},
      {"half of GTUBE", with_header({}, kGtubeLine.substr(0, 40)), ""},
      {"GTUBE in an attachment is a file's content",
       with_header({"Content-Type: application/pdf"}, kGtubeLine), ""},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(slugs(row.message) == row.slugs);
  }
}

TEST_CASE("only the first of a message is looked at", "[spam]") {
  ReadLimits limits;
  limits.text = 100;
  limits.body = 1000;
  limits.fields = 7;
  limits.field = 50;
  const std::string filler(1000, 'x');
  Message message =
      read_message(with_header({"X-Long: " + filler}, filler + kGtubeLine), kNow, limits);
  CHECK_FALSE(message.whole);
  CHECK_FALSE(message.gtube);
  CHECK(message.plain.size() == 101);
  CHECK(message.find("x-long")->size() == 50);
  message =
      read_message(with_header({}, std::string(32, 'x') + kGtubeLine), kNow, limits);
  CHECK(message.whole);
  CHECK(message.gtube);
}

TEST_CASE("groups are bounded and add up", "[spam]") {
  const auto logit = [](std::vector<Evidence> findings) { return score(findings).logit; };
  CHECK(score({}).probability < 0.2);
  CHECK(logit({}) == Catch::Approx(kBias));
  CHECK(logit({{"a", Group::header, 1}, {"b", Group::header, 1.5}}) ==
        Catch::Approx(kBias + 2.5));
  CHECK(logit({{"a", Group::header, 2}, {"b", Group::header, 2}}) ==
        Catch::Approx(kBias + 3));
  CHECK(logit({{"a", Group::header, 9}, {"b", Group::mime, 9}, {"c", Group::url, 9}}) ==
        Catch::Approx(kBias + 11));
  CHECK(logit({{"a", Group::list, -9}}) == Catch::Approx(kBias - 0.5));
}

TEST_CASE("levels follow the policy's thresholds", "[spam]") {
  const SpamPolicy policy;
  struct {
    const char* name;
    Score score;
    SpamLevel level;
  } const rows[] = {
      {"below low", {0, 0.499, false, 1}, SpamLevel::none},
      {"low", {0, 0.5, false, 1}, SpamLevel::low},
      {"med", {0, 0.9, false, 1}, SpamLevel::med},
      {"high", {0, 0.99, false, 2}, SpamLevel::high},
      {"high on one group's word is med", {0, 0.999, false, 1}, SpamLevel::med},
      {"proven", {0, 0.1, true, 1}, SpamLevel::high},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(level(row.score, policy) == row.level);
  }
  CHECK(level(score(std::vector<Evidence>{{"gtube", Group::test, 20, true}}), policy) ==
        SpamLevel::high);
}

}  // namespace
}  // namespace mxfeed::spam
