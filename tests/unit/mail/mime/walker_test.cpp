// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/walker.h"

#include <ctime>
#include <map>

#include "common/mail/mime/fields.h"
#include "tests/support/catch.h"
#include "tests/unit/mail/mime/crlf.h"

namespace mxfeed::mime {
namespace {

// Writes the parts down: "0:multipart/mixed[ 1:text/plain{data} ]".
class Outline : public Visitor {
 public:
  void begin_part(const Part& part) override {
    data_[part.number] = "";
    lines_.resize(std::max(lines_.size(), part.number + 1));
    std::string& line = lines_[part.number];
    line = std::string(part.depth, '.') + part.type;
    if (part.kind == Part::Kind::uuencoded) line += " uu";
    if (part.kind == Part::Kind::opaque) line += " opaque";
    for (const std::string& name : part.file_names) line += " <" + name + ">";
    ++open_;
  }
  void data(const Part& part, std::string_view bytes) override {
    data_[part.number] += bytes;
  }
  void end_part(const Part&) override { --open_; }

  // One line a part; CR is left out to keep tables readable.
  std::string str() const {
    CHECK(open_ == 0);
    std::string text;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      text += lines_[i] + " {" + data_.at(i) + "}\n";
    }
    std::erase(text, '\r');
    return text;
  }

 private:
  std::vector<std::string> lines_;
  std::map<std::size_t, std::string> data_;
  int open_ = 0;
};

struct Result {
  std::string outline;
  Anomalies anomalies;
};

// `header` is the Content-* fields, one a line.
Result walk(std::string_view header, std::string_view body, std::size_t cut,
            Limits limits = {}) {
  Outline outline;
  Walker walker(outline, limits);
  while (!header.empty()) {
    const std::size_t end = std::min(header.find('\n'), header.size());
    const std::string_view line = header.substr(0, end);
    const std::size_t colon = line.find(':');
    walker.field(line.substr(0, colon), line.substr(colon + 1));
    header.remove_prefix(std::min(end + 1, header.size()));
  }
  for (std::size_t at = 0; at < body.size(); at += cut) walker.body(body.substr(at, cut));
  walker.end();
  return {outline.str(), walker.anomalies()};
}

struct Row {
  const char* name;
  const char* header;
  const char* body;  // LF is sent as CRLF
  const char* outline;
  const char* anomalies;
};

const Row kRows[] = {
    {"a plain message", "", "Hello\n", "text/plain {Hello\n}\n", ""},
    {"an empty message", "", "", "text/plain {}\n", ""},
    {"base64", "Content-Type: application/zip\nContent-Transfer-Encoding: base64",
     "UEsD\nBAo=\n", "application/zip {PK\x03\x04\n}\n", ""},
    {"base64 with junk goes on", "Content-Transfer-Encoding: BASE64 (really)",
     "SG!Vs*bG8\n", "text/plain {Hello}\n", "bad-base64"},
    {"base64 goes on after padding", "Content-Transfer-Encoding: base64", "SGU=bGxv\n",
     "text/plain {Hello}\n", "bad-base64"},
    {"base64 cut in a group", "Content-Transfer-Encoding: base64", "SGVsbG",
     "text/plain {Hell}\n", ""},
    {"quoted-printable with soft breaks", "Content-Transfer-Encoding: quoted-printable",
     "a=3D=\nb= \nc=\n", "text/plain {a=bc}\n", ""},
    {"broken quoted-printable stays", "Content-Transfer-Encoding: quoted-printable",
     "a=4g=\nb==3D=", "text/plain {a=4gb==}\n", "bad-quoted-printable"},
    {"an unknown encoding is 8bit", "Content-Transfer-Encoding: gzip", "x",
     "text/plain {x}\n", "unknown-encoding"},
    {"two parts", "Content-Type: multipart/mixed; boundary=\"b b\"",
     "pre\n--b b\n\none\n--b b\nContent-Type: text/html; charset=UTF-8\n\ntwo\n\n--b "
     "b--\n"
     "post\n",
     "multipart/mixed {pre\npost\n}\n.text/plain {one}\n.text/html {two\n}\n", ""},
    {"a nested multipart and a message", "Content-Type: multipart/mixed; boundary=a",
     "--a\nContent-Type: multipart/alternative; "
     "boundary=a.1\n\n--a.1\n\nx\n--a.1--\n--a\n"
     "Content-Type: message/rfc822\n\nSubject: s\nContent-Type: text/html\n\ny\n--a--\n",
     "multipart/mixed {}\n.multipart/alternative {}\n..text/plain {x}\n"
     ".message/rfc822 {}\n..text/html {y}\n",
     ""},
    {"the final boundary is missing", "Content-Type: multipart/mixed; boundary=a",
     "--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--a\n\ny\n",
     "multipart/mixed {}\n.multipart/mixed {}\n..text/plain {x}\n.text/plain {y\n}\n",
     "missing-final-boundary"},
    {"the end of data right after a delimiter opens no part",
     "Content-Type: multipart/mixed; boundary=a", "--a\n\nx\n--a",
     "multipart/mixed {}\n.text/plain {x}\n", "missing-final-boundary"},
    {"a missing boundary is guessed", "Content-Type: multipart/mixed",
     "pre\n-- \n--g\n\nx\n--g--\n", "multipart/mixed {pre\n-- \n}\n.text/plain {x}\n",
     "missing-boundary"},
    {"no delimiter at all", "Content-Type: multipart/mixed; boundary=a", "x\n--b\n",
     "multipart/mixed {x\n--b\n}\n", "no-parts"},
    {"an empty boundary", "Content-Type: multipart/mixed; boundary=\"\"",
     "--\n\nx\n----\npost", "multipart/mixed {post}\n.text/plain {x}\n", "odd-boundary"},
    {"a delimiter with more text divides", "Content-Type: multipart/mixed; boundary=abc",
     "--abc\n\nx\n--abcdef\n\ny\n--abc--\n",
     "multipart/mixed {}\n.text/plain {x}\n.text/plain {y}\n", "boundary-prefix"},
    {"a rule of dashes divides not", "Content-Type: multipart/mixed; boundary=--",
     "----\n\nx\n---------\ny\n------\n",
     "multipart/mixed {}\n.text/plain {x\n---------\ny}\n", ""},
    {"a part after the final delimiter is read",
     "Content-Type: multipart/mixed; boundary=a", "--a\n\nx\n--a--\nz\n--a\n\ny\n--a--\n",
     "multipart/mixed {z\n}\n.text/plain {x}\n.text/plain {y}\n", "part-after-end"},
    {"blanks after a delimiter", "Content-Type: multipart/mixed; boundary=a",
     "--a \t\n\nx\n--a-- \n", "multipart/mixed {}\n.text/plain {x}\n", ""},
    {"both of two Content-Type fields divide",
     "Content-Type: multipart/mixed; boundary=a\nContent-Type: multipart/mixed; "
     "boundary=b",
     "--a\n\nx\n--b\n\ny\n--a--\n",
     "multipart/mixed {}\n.text/plain {x}\n.text/plain {y}\n",
     "duplicate-field,odd-boundary"},
    {"a multipart wins over a text",
     "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=a", "--a\n\nx\n",
     "multipart/mixed {}\n.text/plain {x\n}\n", "duplicate-field,missing-final-boundary"},
    {"both of two boundary parameters divide",
     "Content-Type: multipart/mixed; boundary=a; boundary=b", "--a\n\nx\n--b--\n",
     "multipart/mixed {}\n.text/plain {x}\n", "duplicate-parameter,odd-boundary"},
    {"comments, folds and case in the type",
     "CONTENT-TYPE: (c) Multipart (\\)c) / (d) Mixed ; (e) Boundary = (f) \"a\\\"b\" (g)",
     "--a\"b\n\nx\n--a\"b--\n", "multipart/mixed {}\n.text/plain {x}\n", ""},
    {"a boundary that looks like a comment",
     "Content-Type: multipart/mixed; boundary=a(b)", "--a(b)\n\nx\n--a(b)--\n",
     "multipart/mixed {}\n.text/plain {x}\n", "odd-boundary"},
    {"a boundary in sections (RFC 2231)",
     "Content-Type: multipart/mixed; boundary*1=b; boundary*0=a", "--ab\n\nx\n--ab--\n",
     "multipart/mixed {}\n.text/plain {x}\n", ""},
    {"a type without semicolons", "Content-Type: multipart/mixed boundary=a charset=x",
     "--a\n\nx\n--a--\n", "multipart/mixed {}\n.text/plain {x}\n", ""},
    {"a type that is none", "Content-Type: html", "x", "text/plain {x}\n",
     "malformed-type"},
    {"a digest holds messages", "Content-Type: multipart/digest; boundary=a",
     "--a\n\nSubject: s\n\nx\n--a--\n",
     "multipart/digest {}\n.message/rfc822 {}\n..text/plain {x}\n", ""},
    {"the body without a blank line before it",
     "Content-Type: multipart/mixed; boundary=a",
     "--a\nContent-Type: text/html\nno field here\nx\n--a--\n",
     "multipart/mixed {}\n.text/html {no field here\nx}\n", "header-without-end"},
    {"rubbish between fields", "Content-Type: multipart/mixed; boundary=a",
     "--a\nContent-Type: text/html\nrubbish\nContent-Transfer-Encoding: base64\n\neA==\n"
     "--a--\n",
     "multipart/mixed {}\n.text/html {x}\n", "header-without-end"},
    {"rubbish before base64 is skipped", "Content-Type: multipart/mixed; boundary=a",
     "--a\nContent-Transfer-Encoding: base64\n!rubbish\n\neA==\n--a--\n",
     "multipart/mixed {}\n.text/plain {x}\n", "header-without-end"},
    {"base64 without a blank line before it", "Content-Type: multipart/mixed; boundary=a",
     "--a\nContent-Transfer-Encoding: base64\neA==\n\n--a--\n",
     "multipart/mixed {}\n.text/plain {x}\n", "header-without-end"},
    {"a delimiter of its own right after the fields",
     "Content-Type: multipart/mixed; boundary=a",
     "--a\nContent-Type: multipart/mixed; boundary=b\n--b\n\nx\n--b--\n--a--\n",
     "multipart/mixed {}\n.multipart/mixed {}\n..text/plain {x}\n", "header-without-end"},
    {"an envelope line before a message's fields", "Content-Type: message/rfc822",
     "From a@b Mon Jan  1 00:00:00 2026\n"
     "Content-Type: text/html\n\nx\n",
     "message/rfc822 {}\n.text/html {x\n}\n", "header-without-end"},
    {"a blank before the colon, and a fold first",
     "Content-Type: multipart/mixed; boundary=a",
     "--a\n Content-Type : text/html;\n\tcharset=x\n\nx\n--a--\n",
     "multipart/mixed {}\n.text/html {x}\n", "odd-field"},
    {"an encoded message is walked",
     "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64",
     "Q29udGVudC1UeXBlOiBtdWx0aXBhcnQvbWl4ZWQ7IGJvdW5kYXJ5PWEKCi0tYQoKeAotLWEtLQo=\n",
     "message/rfc822 {}\n.multipart/mixed {}\n..text/plain {x}\n", "encoded-container"},
    {"an encoded multipart is not decoded",
     "Content-Type: multipart/mixed; boundary=a\nContent-Transfer-Encoding: base64",
     "--a\n\nx\n--a--\n", "multipart/mixed {}\n.text/plain {x}\n", "encoded-container"},
    {"a file name in RFC 2231 and plain",
     "Content-Type: application/x-msdownload; name=\"=?UTF-8?Q?=C3=A4.exe?=\"\n"
     "Content-Disposition: attachment; filename*0*=iso-8859-1'de'%E4; "
     "filename*1=\".txt\"; "
     "filename=\"b.scr\"",
     "", "application/x-msdownload <\xC3\xA4.txt> <b.scr> <\xC3\xA4.exe> {}\n", ""},
    {"message/partial", "Content-Type: message/partial; id=x", "x",
     "message/partial {x}\n", "partial-message"},
    {"a uuencoded file in the text", "", "Hi\nbegin 644 a b.txt\n#0V%T\n`\nend\nbye\n",
     "text/plain {Hi\nbye\n}\n.application/octet-stream uu <a b.txt> {Cat}\n",
     "uuencoded"},
    {"a uuencoded file that does not end", "", "begin 755 x\n#0V%T\n",
     "text/plain {}\n.application/octet-stream uu <x> {Cat}\n",
     "uuencoded,bad-uuencoded"},
    {"a uuencoded file ends at another line", "", "begin 755 x\n#0V%T\nlower case\n",
     "text/plain {lower case\n}\n.application/octet-stream uu <x> {Cat}\n",
     "uuencoded,bad-uuencoded"},
    {"words that only look like a uuencoded file", "",
     "begin 644 steps\nto heaven\nbegin 600 x",
     "text/plain {begin 644 steps\nto heaven\nbegin 600 x}\n", ""},
};

TEST_CASE("MIME parts are found as mail programs find them", "[mime]") {
  for (const Row& row : kRows) {
    INFO(row.name);
    const std::string body = with_crlf(row.body);
    for (const std::size_t cut : {body.size() + 1, std::size_t{1}, std::size_t{7}}) {
      INFO("cut every " << cut);
      const Result result = walk(row.header, body, cut);
      CHECK(result.outline == row.outline);
      CHECK(result.anomalies.str() == row.anomalies);
    }
  }
}

TEST_CASE("LF, CRLF and CR end lines alike", "[mime]") {
  const std::string_view lines = "pre\n--a\nContent-Type: text/html\n\nx\n--a--\n";
  for (const char* end : {"\n", "\r\n", "\r"}) {
    std::string body;
    for (const char c : lines) body += c == '\n' ? std::string(end) : std::string(1, c);
    const Result result = walk("Content-Type: multipart/mixed; boundary=a", body, 3);
    CAPTURE(end);
    CHECK(result.outline.find(".text/html {x}\n") != std::string::npos);
    CHECK(result.anomalies.has(Anomaly::bare_cr) == (end == std::string_view("\r")));
    CHECK(result.anomalies.has(Anomaly::bare_lf) == (end == std::string_view("\n")));
  }
}

TEST_CASE("past a limit the rest is one opaque part", "[mime]") {
  std::string nested;
  for (int i = 0; i < 6; ++i) {
    nested += "--b" + std::to_string(i) +
              "\r\nContent-Type: multipart/mixed; boundary=b" + std::to_string(i + 1) +
              "\r\n\r\n";
  }
  nested += "--b6\r\n\r\nEND\r\n";
  const char* header = "Content-Type: multipart/mixed; boundary=b0";
  SECTION("depth") {
    Limits limits;
    limits.depth = 3;
    const Result result = walk(header, nested, 5, limits);
    CHECK(result.anomalies.has(Anomaly::too_deep));
    CHECK(result.anomalies.exceeded());
    CHECK(result.outline.find("opaque {--b4\n") != std::string::npos);
    CHECK(result.outline.find("END") != std::string::npos);
    limits.depth = 7;
    CHECK_FALSE(walk(header, nested, 5, limits).anomalies.exceeded());
  }
  SECTION("parts") {
    std::string body;
    for (int i = 0; i < 10; ++i) body += "--b0\r\n\r\nx\r\n";
    body += "--b0\r\n\r\nEND\r\n--b0--\r\n";
    Limits limits;
    limits.parts = 12;
    CHECK_FALSE(walk(header, body, 5, limits).anomalies.exceeded());
    limits.parts = 11;
    const Result result = walk(header, body, 5, limits);
    CHECK(result.anomalies.has(Anomaly::too_many_parts));
    CHECK(result.outline.find("opaque {END\n--b0--\n}") != std::string::npos);
  }
  SECTION("header") {
    const std::string body =
        "--b0\r\nX-Long: " + std::string(1000, 'x') + "\r\n\r\nEND\r\n--b0--\r\n";
    Limits limits;
    limits.header_bytes = 1000;
    const Result result = walk(header, body, 5, limits);
    CHECK(result.anomalies.has(Anomaly::header_too_big));
    CHECK(result.outline.find("END") != std::string::npos);
    limits.header_bytes = 1100;
    CHECK_FALSE(walk(header, body, 5, limits).anomalies.exceeded());
    const std::string half = "X-Half: " + std::string(500, 'x') + "\r\n";
    const std::string halves = "--b0\r\n" + half + half + "\r\nEND\r\n--b0--\r\n";
    CHECK_FALSE(walk(header, halves, 5, limits).anomalies.exceeded());
    limits.header_bytes = 1000;
    CHECK(walk(header, halves, 5, limits).anomalies.has(Anomaly::header_too_big));
  }
  SECTION("boundary") {
    Limits limits;
    limits.boundary = 1;
    const Result result = walk(header, "--b0\r\n\r\nEND\r\n", 5, limits);
    CHECK(result.anomalies.has(Anomaly::boundary_too_long));
    CHECK(result.outline == "application/octet-stream opaque {--b0\n\nEND\n}\n");
  }
}

// Slow inputs would take minutes if the work were quadratic.
TEST_CASE("hostile messages take linear time", "[mime]") {
  const auto repeated = [](std::string_view text, std::size_t bytes) {
    std::string out;
    while (out.size() < bytes) out += text;
    return out;
  };
  std::string deep;
  for (int i = 0; i < 2000; ++i) {
    deep += "--b" + std::to_string(i) + "\r\nContent-Type: multipart/mixed; boundary=b" +
            std::to_string(i + 1) + "\r\n\r\n";
  }
  constexpr std::size_t kBytes = 4 << 20;
  const std::string bodies[] = {
      deep,
      repeated("--b0\r\n", kBytes),
      repeated("--b0\r\n\r\n", kBytes),
      repeated("--b0x\r\n", kBytes),
      repeated("--\r\n", kBytes),
      repeated("\r", kBytes),
      repeated("(", kBytes),
      repeated("begin 644 x\r\n#0V%T\r\n", kBytes),
      "--b0\r\nContent-Type: text/plain;" + repeated("a=\"b\";", kBytes),
      "--b0\r\nContent-Type: text/plain;" + repeated("=?a?b?", 200'000) + "\r\n\r\n",
      "--b0\r\n" + repeated("Content-Type: message/rfc822\r\n\r\n", kBytes),
      "--b0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
          repeated("= ", kBytes)};
  for (std::size_t i = 0; i < std::size(bodies); ++i) {
    INFO("body " << i);
    class Nothing : public Visitor {
    } nothing;
    Walker walker(nothing);
    walker.field("Content-Type", "multipart/mixed; boundary=b0");
    const std::clock_t start = std::clock();  // of this process only
    for (std::size_t at = 0; at < bodies[i].size(); at += 65535) {
      walker.body(std::string_view(bodies[i]).substr(at, 65535));
    }
    walker.end();
    CHECK(std::clock() - start < 10 * CLOCKS_PER_SEC);
    CHECK(walker.parts() <= Limits().parts + 2);
  }
}

TEST_CASE("parameters are parsed leniently", "[mime]") {
  struct {
    const char* name;
    const char* field;
    const char* value;
    const char* parameters;
  } const rows[] = {
      {"plain", " text/plain; charset=utf-8", "text/plain", "charset=utf-8|"},
      {"quoted with a semicolon", "attachment; filename=\"a;b.exe\"", "attachment",
       "filename=a;b.exe|"},
      {"an unclosed quote", "attachment; filename=\"a.exe", "attachment",
       "filename=a.exe|"},
      {"no value", "attachment; ;; x; filename=a", "attachment", "filename=a|"},
      {"only parameters", "; filename=a", "", "filename=a|"},
      {"folded", "attachment;\n\tfilename=\"a\n b\"", "attachment", "filename=a b|"},
      {"a bad section", "a; name*x=b", "a", "name*x=b|"},
      {"an equals sign alone", "a; =; = x; b=c", "a", "=|=x|b=c|"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const ParameterisedValue result = parse_parameters(row.field);
    CHECK(result.value == row.value);
    std::string parameters;
    for (const auto& [name, value] : result.parameters) {
      parameters += name + "=" + value + "|";
    }
    CHECK(parameters == row.parameters);
  }
}

}  // namespace
}  // namespace mxfeed::mime
