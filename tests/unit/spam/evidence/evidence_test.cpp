// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/evidence/evidence.h"

#include <chrono>

#include "common/base/base64.h"
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

// ASCII in UTF-16, little-endian with its mark.
std::string utf_16(std::string_view text) {
  std::string out = "\xFF\xFE";
  for (const char c : text) {
    out += c;
    out += '\0';
  }
  return out;
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
      {"an address shown that the answer goes to, as forms and calendars do",
       {"From: \"ann@web.example (Calendar)\" <form@acme.example>",
        "Reply-To: ann@Web.example"},
       ""},
      {"an address shown, the answer goes elsewhere",
       {"From: \"ann@web.example\" <x@y.example>", "Reply-To: z@web.example"},
       "from-shows-other-address"},
      {"its own address shown, with punctuation behind it",
       {"From: ann@sender.example- private <ann@sender.example>"},
       ""},
      {"its own address shown in U-labels",
       {"From: ann@b\xC3\xBC"
        "cher.example. <ann@xn--bcher-kva.example>"},
       "from-utf8"},
      {"its own address shown",
       {"From: \"ann@sender.example\" <ann@mail.sender.example>"},
       ""},
      {"a list's rewriting", {"From: \"ann@a.example via List\" <list@b.example>"}, ""},
      {"raw 8-bit From", {"From: \xE4 <ann@sender.example>"}, "from-8bit"},
      {"two subjects", {"+Subject: x"}, "field-twice"},
      {"of two subjects, both are judged",
       {"+Subject: BUY THIS NOW"},
       "field-twice subject-capitals"},
      {"what is found twice counts once",
       {"Subject: BUY THIS NOW", "+Subject: OR BUY THIS", "+Reply-To: x@y.example",
        "+Reply-To: x@y.example"},
       "field-twice subject-capitals"},
      {"reply to the recipient", {"Reply-To: bob@acme.example"}, "reply-to-recipient"},
      {"reply to the recipient on a list",
       {"Reply-To: bob@acme.example", "List-Id: x"},
       "list-mail"},
      {"no subject", {"-Subject"}, "subject-missing"},
      {"an empty subject", {"Subject: "}, "subject-empty"},
      {"a raw 8-bit subject", {"Subject: caf\xE9"}, "subject-8bit"},
      {"a raw UTF-8 subject", {"Subject: caf\xC3\xA9"}, "subject-utf8"},
      {"an encoded subject", {"Subject: =?utf-8?q?caf=C3=A9?="}, ""},
      {"capitals", {"Subject: BUY THIS NOW"}, "subject-capitals"},
      {"capitals, encoded",
       {"Subject: =?utf-8?q?BUY_THIS_NOW?="},
       "subject-encoded-ascii subject-capitals"},
      {"ASCII, encoded",
       {"Subject: =?utf-8?b?T3VyIG1lZXRpbmc=?="},
       "subject-encoded-ascii"},
      {"two free addresses",
       {"From: ann@gmail.com", "Reply-To: x@yahoo.com"},
       "reply-to-other-freemail"},
      {"a free address and the same one",
       {"From: ann@gmail.com", "Reply-To: Ann@gmail.com"},
       ""},
      {"a free address for replies to a company", {"Reply-To: x@yahoo.com"}, ""},
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

TEST_CASE("mail for a backup is suspect while the main server answers", "[spam]") {
  Message message = read_message(with_header({}), kNow);
  message.main_answers = true;
  const auto found = judge(sources(), message);
  REQUIRE(found.size() == 1);
  CHECK(found.front().slug == std::string_view("backup-while-main-answers"));
}

TEST_CASE("frauds are known by their phrases", "[spam]") {
  struct {
    const char* name;
    const char* text;
    const char* slugs;
  } const rows[] = {
      {"advance fee",
       "I am the late father's next\nof kin. The SUM of us$ 12, a million dollars, waits "
       "in\n"
       "a security company for its beneficiary. Please keep this confidential.\n",
       "text-advance-fee"},
      {"a letter of a lawyer",
       "The beneficiary of the inheritance is your aunt. Please keep this "
       "confidential.\n",
       ""},
      {"extortion",
       "I hacked your device and recorded you with your own webcam. Send 500 in "
       "Bitcoin.\n",
       "text-extortion"},
      {"news about bitcoin", "Bitcoin is down. Hacked again.\n", ""},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(slugs(with_header({}, row.text)) == row.slugs);
  }
}

// Forty words of a kind.
std::string many_words(char kind) {
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += std::string(4, kind) + static_cast<char>('a' + i % 26) +
            static_cast<char>('a' + i / 26) + ' ';
  }
  return text;
}

TEST_CASE("a plain text that is not that of the page is found", "[spam]") {
  const auto both = [](const std::string& plain, const std::string& page) {
    return with_header({"Content-Type: multipart/alternative; boundary=a"},
                       "--a\n\n" + plain + "\n--a\nContent-Type: text/html\n\n<p>" +
                           page + "</p>\n--a--\n");
  };
  CHECK(slugs(both(many_words('x'), many_words('x'))).empty());
  CHECK(slugs(both(many_words('x'), many_words('y'))) == "text-parts-differ");
  CHECK(slugs(both("Please read the other part.", many_words('y'))).empty());
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
      {"a link to an address in the own network",
       html("<a href=\"http://192.168.178.1/\">here</a><a "
            "href=\"http://[fd00::1]/\">x</a>"),
       ""},
      {"a link to an address of version 6",
       html("<a href=\"http://[2001:db8::1]:80/\">here</a>"), "url-address"},
      {"a link to an address in one number", html("<a href=\"http://3221225985/\">x</a>"),
       "url-address"},
      {"a link that misleads",
       html("<a href=\"http://evil.example/\">https://www.bank.test/login</a>"),
       "url-misleads"},
      {"a link within the domain",
       html("<a href=\"http://click.bank.co.uk/\">www.bank.co.uk</a>"), ""},
      {"a link with punctuation behind it",
       html("<a href=\"http://bank.example./\">www.bank.example-</a>"), ""},
      {"a link in U-labels",
       html("<a href=\"http://xn--bcher-kva.example/\">http://b\xC3\xBC"
            "cher.example/</a>"),
       ""},
      {"a link that is cut short",
       html("<a href=\"http://bank.example/\">http://www.bank.exa...</a>"), ""},
      {"a link with a user", html("<a href=\"http://bank.example@evil.example/\">x</a>"),
       "url-user"},
      {"a link with an at sign in its path",
       html("<a href=\"http://a.example/@b?c=@\">x</a>"), ""},
      {"a link with invisible characters",
       html("<a href=\"http://ba\xE2\x80\x8Bnk.example/\">x</a>"), "url-invisible"},
      {"a link of two scripts", html("<a href=\"http://b\xD0\xB0nk.example/\">x</a>"),
       "url-mixed-script"},
      {"a link of one script below a Latin name",
       html("<a href=\"http://\xD0\xB1\xD0\xB0\xD0\xBD\xD0\xBA.example/\">x</a>"), ""},
      {"an attached page", attachment("invoice.html"), "attachment-page"},
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
      {"GTUBE in UTF-16",
       with_header({"Content-Type: text/plain; charset=utf-16",
                    "Content-Transfer-Encoding: base64"},
                   base64(utf_16(kGtubeLine)) + "\n"),
       "gtube"},
      {"GTUBE in UTF-16 without a mark, in HTML",
       with_header({"Content-Type: text/html; charset=utf-16",
                    "Content-Transfer-Encoding: base64"},
                   base64(utf_16("<p>" + kGtubeLine).substr(2)) + "\n"),
       "gtube html-only"},
      {"GTUBE in UTF-7",
       with_header({"Content-Type: text/plain; charset=utf-7"},
                   "+AFg-" + kGtubeLine.substr(1)),
       "gtube"},
      {"GTUBE in references",
       with_header({"Content-Type: text/html"}, "<p>&#88;" + kGtubeLine.substr(1)),
       "gtube html-only"},
      {"GTUBE across elements",
       with_header({"Content-Type: text/html"}, "<p><b>" + kGtubeLine.substr(0, 9) +
                                                    "</b><span>" + kGtubeLine.substr(9) +
                                                    "</span>"),
       "gtube html-only"},
      {"GTUBE in a comment of HTML",
       with_header({"Content-Type: text/html"}, "<!--" + kGtubeLine + "-->x"),
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

}  // namespace
}  // namespace mxfeed::spam
