// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/attachments/file_name.h"

#include <algorithm>

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

using std::string_view_literals::operator""sv;
using Kind = AttachmentKind;
using Suffixes = std::vector<std::string>;

struct Case {
  const char* name;
  std::string_view file_name;
  Suffixes suffixes;
  AttachmentKinds kinds;
};

const Case kParts[] = {
    {"none", "README", {}, {}},
    {"empty", "", {}, {}},
    {"one", "a.pdf", {".pdf"}, {}},
    {"upper case", "SETUP.EXE", {".exe"}, {Kind::program}},
    {"two", "photo.jpg.exe", {".exe", ".jpg.exe"}, {Kind::program}},
    {"three", "a.b.c.js", {".js", ".c.js"}, {Kind::script}},
    {"nothing else", ".exe", {".exe"}, {Kind::program}},
    {"a program in the middle", "a.exe.txt", {".txt", ".exe.txt"}, {}},
    {"dots and blanks at the end", "a.exe . .", {".exe"}, {Kind::program}},
    {"a quote at the end", "a.exe\"", {".exe"}, {Kind::program}},
    {"a parameter behind it", "a.exe;", {".exe"}, {Kind::program}},
    {"turned around", "photo_\xE2\x80\xAEgpj.exe", {".exe"}, {Kind::program}},
    {"an invisible character in it", "a.e\xE2\x80\x8Bxe", {".exe"}, {Kind::program}},
    {"a soft hyphen in it",
     "a.ex\xC2\xAD"
     "e",
     {".exe"},
     {Kind::program}},
    {"wide letters",
     "a\xEF\xBC\x8E\xEF\xBD\x85\xEF\xBC\xB8\xEF\xBD\x85",
     {".exe"},
     {Kind::program}},
    {"a wide blank at the end", "a.exe\xE3\x80\x80", {".exe"}, {Kind::program}},
    {"many blanks before it", "a.pdf                  .exe", {".exe"}, {Kind::program}},
    {"NUL", "a.exe\0.txt"sv, {".exe", ".txt", ".txt", ".exe.txt"}, {Kind::program}},
    {"NUL in it", "a.e\0xe"sv, {".e", ".exe"}, {Kind::program}},
    {"a line end", "a.exe\r\n.txt", {".exe", ".txt"}, {Kind::program}},
    {"a stream of NTFS", "a.exe:b.txt", {".exe", ".txt"}, {Kind::program}},
    {"the stream of the data", "a.exe::$DATA", {".exe"}, {Kind::program}},
    {"folders", "C:\\temp\\..\\a.vbs", {".vbs"}, {Kind::script}},
    {"a slash at the end", "a.exe/", {".exe"}, {Kind::program}},
    {"compressed", "a.js.gz", {".gz", ".js.gz", ".js"}, {Kind::script}},
    {"compressed and encrypted",
     "a.exe.xz.gpg",
     {".gpg", ".xz.gpg", ".xz", ".exe.xz", ".exe"},
     {Kind::program}},
    {"a class of the shell",
     "a.{3ad05575-8857-4850-9277-11b85bdb8e09}",
     {},
     {Kind::shortcut}},
    {"a suffix with a hyphen", "a.search-ms", {".search-ms"}, {Kind::shortcut}},
    {"macros", "a.docm", {".docm"}, {Kind::macro}},
    {"a disk", "a.IMG", {".img"}, {Kind::disk_image}},
    {"latin-1", "\xE4.exe", {".exe"}, {Kind::program}},
    {"not ASCII", "a.\xC3\xA4", {}, {}},
    {"a sentence", "Dear Sir. I write to you", {}, {}},
    {"a domain", "www.acme.com", {".com", ".acme.com"}, {Kind::program}},
    {"a part is no member", "word/vbaProject.bin", {".bin"}, {}},
};

const Case kMembers[] = {
    {"a file", "docs/a.exe", {".exe"}, {Kind::program}},
    {"a folder", "a.exe/", {}, {}},
    {"a project", "word/vbaProject.bin", {}, {Kind::macro}},
    {"a macro sheet", "xl/macrosheets/sheet1.xml", {}, {Kind::macro}},
    {"Basic", "Basic/Standard/script-lb.xml", {".xml"}, {Kind::macro}},
    {"of a document", "word/document.xml", {}, {}},
    {"the root of a document", "[Content_Types].xml", {}, {}},
    {"what no document has", "word/a.exe", {".exe"}, {Kind::program}},
    {"XML elsewhere", "data/a.xml", {".xml"}, {}},
};

void check(const Case& c, NameOf of) {
  CAPTURE(c.name);
  const NameLook look = look_at_name(c.file_name, of);
  CHECK(look.suffixes == c.suffixes);
  CHECK(look.kinds == c.kinds);
}

TEST_CASE("the suffixes are those that a saved file may have", "[virus]") {
  for (const Case& c : kParts) check(c, NameOf::part);
}

TEST_CASE("what office documents consist of is nothing but its macros", "[virus]") {
  for (const Case& c : kMembers) check(c, NameOf::member);
}

TEST_CASE("a long name is looked at from both ends", "[virus]") {
  const std::string fill(100'000, 'x');
  CHECK(look_at_name(fill + ".exe", NameOf::part).kinds ==
        AttachmentKinds{Kind::program});
  CHECK(look_at_name(std::string("a.exe\0", 6) + fill, NameOf::part).kinds ==
        AttachmentKinds{Kind::program});
  std::string stops;
  for (int i = 0; i < 10'000; ++i) stops += "a.b:";
  CHECK(look_at_name(stops, NameOf::part).suffixes.size() < 200);
}

TEST_CASE("a page is known by its name", "[virus]") {
  for (const char* name : {"a.html", "A.HTM", "a.svg", "a.xhtml", "a.html.gz"}) {
    CHECK(is_page_name(name));
  }
  for (const char* name : {"a.txt", "html", "a.html.txt", ""}) {
    CHECK_FALSE(is_page_name(name));
  }
}

}  // namespace
}  // namespace mxfeed::virus
