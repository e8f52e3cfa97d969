// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/inline_file.h"

#include <map>
#include <string>
#include <vector>

#include "common/mail/mime/walker.h"
#include "tests/support/catch.h"
#include "tests/unit/mail/mime/crlf.h"

namespace mxfeed::mime {
namespace {

// "name=content" of each file in text, then what is left of the text.
class Files : public Visitor {
 public:
  void begin_part(const Part& part) override { order_.push_back(part.number); }
  void data(const Part& part, std::string_view bytes) override {
    contents_[part.number] += bytes;
  }
  void end_part(const Part& part) override {
    if (part.kind == Part::Kind::uuencoded) {
      names_[part.number] = part.file_names.empty() ? "-" : part.file_names.front();
    }
  }

  std::string str() {
    std::string files;
    std::string text;
    for (const std::size_t number : order_) {
      if (names_.count(number) > 0) {
        files += names_[number] + "=" + contents_[number] + "|";
      } else {
        text += contents_[number];
      }
    }
    std::erase(text, '\r');
    return files + text;
  }

 private:
  std::vector<std::size_t> order_;
  std::map<std::size_t, std::string> contents_, names_;
};

struct Result {
  std::string files;
  Anomalies anomalies;
};

Result walk(const std::string& type, std::string_view body, std::size_t cut,
            const Limits& limits = {}) {
  Files files;
  Walker walker(files, limits);
  walker.field("Content-Type", type);
  for (std::size_t at = 0; at < body.size(); at += cut) walker.body(body.substr(at, cut));
  walker.end();
  return {files.str(), walker.anomalies()};
}

// yEnc adds 42.
std::string yenc(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += static_cast<char>(c + 42);
  return out;
}

// Name "a.bin", data "Cat" and twenty times "x" and 0x90, resource "fork".
const std::string kBinHex = ":\"@%ZBQPZ!&4&@&4dG(Kd!*!&'!!!!!5C%80KG(L3&*!!$T*QEh*VHZF:";

struct Row {
  const char* name;
  std::string body;  // LF is sent as CRLF
  std::string files;
};

const Row kRows[] = {
    {"uuencode", "Hi\nbegin 644 x\n#0V%T\n`\nend\nbye\n", "x=Cat|Hi\nbye\n"},
    {"any blanks before the mode", "begin  \t644 x\n#0V%T\n`\nend\n", "x=Cat|"},
    {"any blanks before the name", "begin 644   a b\n#0V%T\n`\nend\n", "a b=Cat|"},
    {"no name", "begin 644\n#0V%T\n`\nend\n", "-=Cat|"},
    {"a long mode", "begin 100644 x\n#0V%T\n`\nend\n", "x=Cat|"},
    {"a short mode", "begin 6 x\n#0V%T\n`\nend\n", "x=Cat|"},
    {"a character for another one 64 below it", "begin 644 x\n#pVeT\n`\nend\n", "x=Cat|"},
    {"letters of any case", "BEGIN 644 x\n#0V%T\n`\nEND\n", "x=Cat|"},
    {"empty lines before the data", "begin 644 x\n\n \n#0V%T\n`\nend\n", "x=Cat|"},
    {"empty lines behind what only looks like a beginning", "begin 644 x\n\nHi\n",
     "begin 644 x\n\nHi\n"},
    {"xxencode", "begin 644 x\nSEq3o90-VPaEUMG-YPqQi63FcOL7oSG-WSLFZQmsi\n+\nend\n",
     "x=Cat, and a dog. Thirty bytes..|"},
    {"no last line", "begin 644 x\n#0V%T\n", "x=Cat|"},
    {"base64", "begin-base64 644 x\nQ2\nF0\n====\nbye\n", "x=Cat|bye\n"},
    {"base64 without a last line", "begin-base64 644 x\nQ2F0\nbye now\n",
     "x=Cat|bye now\n"},
    {"yEnc",
     "Hi\n=ybegin line=128 size=3 name=a b \n" + yenc("Cat") + "\n=yend size=3\nbye\n",
     "a b=Cat|Hi\nbye\n"},
    {"yEnc with an escape", "=ybegin line=128 size=1 name=x\n=}\n=yend\n",
     std::string("x=") + static_cast<char>('}' - 64 - 42) + "|"},
    {"yEnc without a last line", "=ybegin line=128 size=3 name=x\n" + yenc("Cat"),
     "x=Cat|"},
    {"yEnc in parts, with text between them",
     "=ybegin part=1 total=2 line=128 size=6 name=x\n=ypart begin=1 end=3\n" +
         yenc("Cat") + "\n=yend size=3 part=1\nnext\n" +
         "=ybegin part=2 total=2 line=128 size=6 name=x\n=ypart begin=4 end=6\n" +
         yenc("Dog") + "\n=yend size=3 part=2\nbye\n",
     "x=CatDog|next\nbye\n"},
    {"another file after a part of yEnc",
     "=ybegin part=1 total=2 line=128 size=6 name=x\n" + yenc("Cat") +
         "\n=yend size=3 part=1\nbegin 644 y\n#0V%T\n`\nend\n",
     "x=Cat|y=Cat|"},
    {"BinHex", "(This file must be converted with BinHex 4.0)\n" + kBinHex + "\nbye\n",
     "a.bin=Catxxxxxxxxxxxxxxxxxxxx\x90|a.bin=fork|(This file must be converted with "
     "BinHex 4.0)\nbye\n"},
    {"BinHex that nothing announces", kBinHex + "\n",
     "a.bin=Catxxxxxxxxxxxxxxxxxxxx\x90|a.bin=fork|"},
    {"BinHex in short lines, announced",
     "(This file must be converted with BinHex 4.0)\n" + kBinHex.substr(0, 5) + "\n" +
         kBinHex.substr(5) + "\n",
     "a.bin=Catxxxxxxxxxxxxxxxxxxxx\x90|a.bin=fork|(This file must be converted with "
     "BinHex 4.0)\n"},
    {"words that only look like a beginning",
     "begin 644 steps\nto heaven\n:-)\n=yes\nbegin-base64 644 x\nno base64\nbegin "
     "again\n",
     "begin 644 steps\nto heaven\n:-)\n=yes\nbegin-base64 644 x\nno base64\nbegin "
     "again\n"},
};

TEST_CASE("files that are encoded in text are decoded", "[mime]") {
  for (const Row& row : kRows) {
    DYNAMIC_SECTION(row.name) {
      const std::string body = with_crlf(row.body);
      for (const std::size_t cut : {body.size() + 1, std::size_t{1}, std::size_t{7}}) {
        CHECK(walk("text/plain", body, cut).files == row.files);
      }
    }
  }
}

TEST_CASE("files are found in leaves that are not encoded, whatever their type",
          "[mime]") {
  const std::string body = with_crlf("begin 644 x\n#0V%T\n`\nend\n");
  CHECK(walk("application/octet-stream", body, 9).files == "x=Cat|");
  CHECK(walk("application/mac-binhex40", kBinHex + "\r\n", 9)
            .anomalies.has(Anomaly::inline_encoded));
}

TEST_CASE("BinHex that grows beyond a limit is cut, and that is known", "[mime]") {
  Limits limits;
  limits.expanded = 20;
  CHECK(walk("text/plain", kBinHex, 9, limits).anomalies.exceeded());
  limits.expanded = 100;
  CHECK_FALSE(walk("text/plain", kBinHex, 9, limits).anomalies.exceeded());
}

TEST_CASE("uuencode without its blanks grows only up to a limit", "[mime]") {
  // Two full lines of nothing but zeros, and one that is as long as it says.
  const std::string body = with_crlf("begin 644 x\nM\nM\n#0V%T\n`\nend\n");
  Limits limits;
  limits.expanded = 90;
  const auto whole = walk("text/plain", body, 9, limits);
  CHECK_FALSE(whole.anomalies.exceeded());
  CHECK(whole.files == "x=" + std::string(90, '\0') + "Cat|");
  limits.expanded = 89;
  CHECK(walk("text/plain", body, 9, limits).anomalies.exceeded());
}

}  // namespace
}  // namespace mxfeed::mime
