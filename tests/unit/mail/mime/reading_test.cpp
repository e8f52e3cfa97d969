// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/reading.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/mail/mime/walker.h"
#include "tests/support/catch.h"
#include "tests/unit/mail/mime/crlf.h"

namespace mxfeed::mime {
namespace {

// The contents of all parts but containers.
class Contents : public Visitor {
 public:
  void data(const Part& part, std::string_view bytes) override {
    if (!part.is_container()) open_[part.number] += bytes;
  }
  void end_part(const Part& part) override { all.insert(open_[part.number]); }

  std::set<std::string> all;

 private:
  std::map<std::size_t, std::string> open_;
};

struct Outcome {
  std::set<std::string> contents;
  std::size_t readings = 0;
  bool too_many = false;
};

// `header` is fields, one a line; `body` is as sent.
constexpr std::size_t kMostReadings = 48;

Outcome read_all(std::string_view header, std::string_view body) {
  Outcome outcome;
  Readings readings(kMostReadings);
  while (const auto reading = readings.next()) {
    Contents contents;
    Walker walker(contents, {}, *reading);
    std::string_view fields = header;
    while (!fields.empty()) {
      const std::size_t end = std::min(fields.find('\n'), fields.size());
      const std::string_view line = fields.substr(0, end);
      const std::size_t colon = line.find(':');
      walker.field(line.substr(0, colon), line.substr(colon + 1));
      fields.remove_prefix(std::min(end + 1, fields.size()));
    }
    walker.body(body);
    walker.end();
    readings.add(walker.ambiguities());
    outcome.contents.merge(contents.all);
  }
  outcome.readings = readings.count();
  outcome.too_many = readings.too_many();
  return outcome;
}

struct Row {
  const char* name;
  std::string header;
  std::string body;  // LF is sent as CRLF
  std::vector<std::string> contents;
  std::size_t readings;
};

const std::string kMixed = "Content-Type: multipart/mixed; boundary=b";

// A part with these fields and this content in a multipart.
std::string part(const std::string& fields, const std::string& content) {
  return "--b\n" + fields + "\n" + content + "\n--b--\n";
}

// "aGVsbG8=" is "hello".
const Row kRows[] = {
    {"honest mail has one reading",
     kMixed,
     part("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n", "aGVsbG8="),
     {"hello"},
     1},
    {"of two boundaries that come, each is one reading",
     "Content-Type: multipart/mixed; boundary=._; boundary=_.",
     "--._\nContent-Transfer-Encoding: base64\n\naGVs\n--_.\n\nbG8=\n--._--\n",
     {"hello"},
     18},
    {"of four boundaries, those that never come do not matter",
     "Content-Type: multipart/mixed; boundary=x; boundary=y; boundary=z; boundary=b",
     part("Content-Transfer-Encoding: base64\n", "aGVsbG8="),
     {"hello"},
     1},
    {"boundaries of two fields",
     "Content-Type: multipart/mixed; boundary=._\n"
     "Content-Type: multipart/mixed; boundary=_.",
     "--._\nContent-Transfer-Encoding: base64\n\naGVs\n--_.\n\nbG8=\n--._--\n",
     {"hello"},
     18},
    {"a quote is missing",
     "Content-Type: multipart/mixed; boundary=\"b; charset=x",
     part("", "hello"),
     {"hello"},
     1},
    {"the first quote is missing",
     "Content-Type: multipart/mixed; boundary=b\"",
     part("", "hello"),
     {"hello"},
     1},
    {"single quotes",
     "Content-Type: multipart/mixed; boundary='b'",
     part("", "hello"),
     {"hello"},
     1},
    {"single quotes that belong to it",
     "Content-Type: multipart/mixed; boundary='b'",
     "--'b'\n\nhello\n--'b'--\n",
     {"hello"},
     1},
    {"a blank first",
     "Content-Type: multipart/mixed; boundary=\" b\"",
     part("", "hello"),
     {"hello"},
     1},
    {"a NUL",
     std::string("Content-Type: multipart/mixed; boundary=b") + '\0' + "x",
     part("", "hello"),
     {"hello"},
     1},
    {"an escape",
     "Content-Type: multipart/mixed; boundary=\"\\b\"",
     part("", "hello"),
     {"hello"},
     1},
    {"an unquoted blank",
     "Content-Type: multipart/mixed; boundary=b c",
     "--b c\n\nhello\n--b c--\n",
     {"hello"},
     6},
    {"RFC 2231 is not known to all",
     "Content-Type: multipart/mixed; boundary*=us-ascii''b",
     "--us-ascii''b\n\nhello\n--us-ascii''b--\n",
     {"hello"},
     1},
    {"two encodings",
     kMixed,
     part("Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: "
          "quoted-printable\n",
          "=68ello"),
     {"hello"},
     2},
    {"the first of two encodings is none",
     kMixed,
     part("Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n",
          "aGVsbG8="),
     {"hello", "aGVsbG8="},
     2},
    {"three encodings",
     kMixed,
     part("Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n"
          "Content-Transfer-Encoding: quoted-printable\n",
          "=68ello"),
     {"hello", "=68ello"},
     3},
    {"an encoding that only some know",
     kMixed,
     part("Content-Transfer-Encoding: base64x\n", "aGVsbG8="),
     {"hello", "aGVsbG8="},
     2},
    {"an encoding in a list",
     kMixed,
     part("Content-Transfer-Encoding: 7bit, base64\n", "aGVsbG8="),
     {"hello", "aGVsbG8="},
     2},
    {"an encoding in a comment",
     kMixed,
     part("Content-Transfer-Encoding: 8bit (base64)\n", "aGVsbG8="),
     {"hello", "aGVsbG8="},
     2},
    {"an encoding in quotes",
     kMixed,
     part("Content-Transfer-Encoding: \"base64\"\n", "aGVsbG8="),
     {"hello", "aGVsbG8="},
     2},
    {"an encoding with a comment",
     kMixed,
     part("Content-Transfer-Encoding: (x) base64\n", "aGVsbG8="),
     {"hello", "aGVsbG8="},
     2},
    {"a lenient delimiter within an encoded leaf, with a line behind it that is no field",
     "Content-Type: multipart/mixed; boundary=_._",
     "--_._\nContent-Transfer-Encoding: base64\n\naGVs\n--_._--~\nbG8=\n--_._--\n",
     {"hello"},
     12},
    {"a type that is a multipart for some",
     kMixed + "\nContent-Type: text/plain",
     "begin 644 x\n#0V%T\n`\nend\n--b\n\nhello\n--b--\n",
     {"hello", "Cat"},
     2},
    {"an encoded multipart",
     kMixed + "\nContent-Transfer-Encoding: base64",
     "LS1iCgpoZWxsbwotLWItLQo=\n",  // "--b\n\nhello\n--b--\n"
     {"hello"},
     3},
    {"a multipart that only says that it is encoded",
     kMixed + "\nContent-Transfer-Encoding: base64",
     part("", "hello"),
     {"hello"},
     9},
    {"a message that only says that it is encoded",
     "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64",
     "Content-Transfer-Encoding: base64\n\naGVsbG8=\n",
     {"hello"},
     27},
    {"an encoded message is saved as a file",
     "Content-Type: message/rfc822; name=e.com\nContent-Transfer-Encoding: base64",
     "aGVsbG8=\n",
     {"hello"},
     9},
    {"text after the padding of base64",
     kMixed,
     part("Content-Transfer-Encoding: base64\n", "aGVsbG8=aGVsbG8="),
     {"hello", "hellohello"},
     2},
    {"more quotes than a pair",
     "Content-Type: multipart/mixed; boundary=\"\"\"b\"",
     part("", "hello"),
     {"hello"},
     1},
    {"a boundary that programs without RFC 2231 guess",
     "Content-Type: multipart/mixed; boundary*=us-ascii''%40b",
     "--c\n\nhello\n--c--\n",
     {"hello"},
     2},
    {"a delimiter behind blanks or more dashes",
     kMixed,
     " --b\n\nhello\n---b\n\nyou\n",
     {"hello", "you\r\n"},
     4},
    {"text behind an empty line of base64",
     kMixed,
     part("Content-Transfer-Encoding: base64\n", "aGVsbG8h\n\naGVsbG8h"),
     {"hello!", "hello!hello!"},
     2},
    {"a line that is no base64, and text behind an empty line",
     kMixed,
     part("Content-Transfer-Encoding: base64\n", "aGVs\n-_._\nbG8h\n\naGVsbG8h"),
     {"hel", "hello!", "hello!hello!"},
     3},
    {"padding that base64 does not need",
     kMixed,
     part("Content-Transfer-Encoding: base64\n", "aGVsbG8h==\naGVsbG8h"),
     {"hello!", "hello!hello!"},
     2},
    {"uuencode that is xxencode, too",
     kMixed,
     part("", "begin 644 x\nHAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nend"),
     {},
     2},
    {"a part between two final delimiters",
     kMixed,
     "--b--\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n--b--\n",
     {"hello"},
     4},
    {"a final delimiter with blanks behind it",
     kMixed,
     "--b\nContent-Type: text/plain\n\nhel\n--b-- \nlo\n--b--\n",
     {"hel", "hel\r\n--b-- \r\nlo"},
     12},
    {"fields and content in a text",
     kMixed,
     part("Content-Type: text/plain\n",
          "text\nContent-Transfer-Encoding: base64\n\naGVsbG8="),
     {"hello", "text\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8="},
     2},
    {"fields and content in a preamble",
     kMixed,
     "text\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n--b\n\nyou\n--b--\n",
     {"hello", "you"},
     2},
    {"fields and content in an epilogue",
     kMixed,
     "--b\n\nyou\n--b--\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n",
     {"hello", "you"},
     2},
    {"a line that is no BinHex in BinHex",
     kMixed,
     part("",
          "(This file must be converted with BinHex 4.0)\n\n"
          ":!3%!3%!!!!!!!!!!!!!!!!!!!!!!!!\n _\n!!!!!!!!!!!!:\n"),
     {},
     2},
    {"a line that is no uuencode in uuencode",
     kMixed,
     part("", "begin 644 x\n#0V%T\n--_\n#0V%T\nend"),
     {"Cat", "CatCat"},
     2},
    {"blanks at the end of a line of a quoted-printable file",
     kMixed,
     part("Content-Type: application/x\nContent-Transfer-Encoding: quoted-printable\n",
          "hel \t\nlo"),
     {"hel \t\r\nlo", "hel\r\nlo"},
     2},
    {"blanks at the end of a line to be read",
     kMixed,
     part("Content-Transfer-Encoding: quoted-printable\n", "hello \nyou"),
     {"hello \r\nyou"},
     1},
    {"a blank before the colon",
     kMixed,
     part("Content-Transfer-Encoding : base64\n", "aGVsbG8="),
     {"hello", "aGVsbG8="},
     2},
    {"a line of blanks in a header",
     kMixed,
     part("Content-Type: text/plain\n \nContent-Transfer-Encoding: base64\n", "aGVsbG8="),
     {"hello", "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8="},
     4},
    {"a line that is no field in a header",
     kMixed,
     part("stray\nContent-Transfer-Encoding: base64\n", "aGVsbG8="),
     {"hello", "stray\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8="},
     3},
};

TEST_CASE("what any mail program reads is in one of the readings", "[mime]") {
  for (const Row& row : kRows) {
    DYNAMIC_SECTION(row.name) {
      const Outcome outcome = read_all(row.header, with_crlf(row.body));
      for (const std::string& content : row.contents) {
        CAPTURE(content);
        CHECK(outcome.contents.count(content) == 1);
      }
      CHECK(outcome.readings == row.readings);
      CHECK_FALSE(outcome.too_many);
    }
  }
}

TEST_CASE("a bare CR ends a line for some", "[mime]") {
  const Outcome outcome = read_all("Content-Type: multipart/mixed; boundary=_._",
                                   "--_._\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                                   "aGVs\r--_._\rbG8=\r\n--_._--\r\n");
  CHECK(outcome.contents.count("hel") == 1);
  CHECK(outcome.contents.count("hello") == 1);
  CHECK_FALSE(outcome.too_many);
}

TEST_CASE("an ambiguity that only one reading shows is followed, too", "[mime]") {
  // Only who takes the boundary "b" sees two encodings.
  const Outcome outcome = read_all(
      "Content-Type: multipart/mixed; boundary=a; boundary=b",
      with_crlf(
          "--b\nX: y\n--a\nContent-Transfer-Encoding: base64\n"
          "Content-Transfer-Encoding: quoted-printable\n\n=68ello\n--b--\n--a--\n"));
  CHECK(outcome.contents.count("hello") == 1);
}

TEST_CASE("past their limit there are too many readings", "[mime]") {
  const auto many = [](std::size_t count) {
    std::string header = "Content-Type: multipart/mixed";
    std::string body;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = "b" + std::to_string(i) + "x";
      header += "; boundary=" + name;
      body += "--" + name + "\r\n\r\nhello\r\n";
    }
    return read_all(header, body);
  };
  CHECK(many(15).readings == 16);
  CHECK_FALSE(many(15).too_many);
  CHECK(many(40).too_many);
  std::string fields;
  for (int i = 0; i < 17; ++i) {
    fields += "Content-Transfer-Encoding: x" + std::to_string(i) + "\r\n";
  }
  CHECK(read_all(kMixed, "--b\r\n" + fields + "\r\nhello\r\n").too_many);
}

TEST_CASE("combinations are counted up to a limit", "[mime]") {
  Ambiguities some;
  CHECK_FALSE(some.any());
  CHECK(some.combinations(16) == 1);
  some.add(Ambiguity::delimiter, 1);
  some.add(Ambiguity::encoding, 2);
  some.add(Ambiguity::encoding, 3);
  CHECK(some.any());
  CHECK(some.combinations(16) == 6);
  CHECK(some.combinations(5) == 6);
  CHECK(some.combinations(4) == 5);
  std::set<Reading> all;
  for (std::size_t i = 0; i < 6; ++i) all.insert(some.combination(i));
  CHECK(all.size() == 6);
  CHECK(some.combination(0) == Reading());
  some.add(Ambiguity::boundary, Ambiguities::kMostChoice + 1);
  CHECK(some.too_many());
}

}  // namespace
}  // namespace mxfeed::mime
