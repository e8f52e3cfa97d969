// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/attachments/content.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

using std::string_literals::operator""s;
using Kind = AttachmentKind;

std::string at(std::size_t place, const std::string& bytes, std::size_t size = 0) {
  std::string content(std::max(size, place + bytes.size()), 'x');
  return content.replace(place, bytes.size(), bytes);
}

std::string le32(std::uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

std::string windows_program() {
  return "MZ" + std::string(58, '\0') + le32(80) + std::string(16, '\0') + "PE\0\0"s +
         std::string(100, '\0');
}

std::string dos_program() {
  // 100 bytes on the last page, 1 page, no relocations, a header of 2 paragraphs.
  return "MZ"s + "\x64\0\1\0\0\0\2\0"s + std::string(90, '\0');
}

// A header that names sector 0 as the directory, and its first entry.
std::string compound_file(const std::string& root_class, const std::string& rest) {
  std::string header = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"s + std::string(504, '\0');
  header.replace(30, 2, "\x09\0"s);
  std::string entry(128, '\0');
  entry.replace(80, root_class.size(), root_class);
  return header + entry + rest;
}

std::string utf16(const std::string& text) {
  std::string wide;
  for (const char c : text) wide += std::string{c, '\0'};
  return wide;
}

// [MS-XLS] 2.4.28
std::string sheet(char state, char type) {
  return "\x85\0\x0c\0"s + le32(600) + state + type + "\4\0test"s;
}

std::string note(const std::string& file) {
  return "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"s +
         std::string(100, '\0') +
         "\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac"s +
         std::string(20, '\0') + file;
}

const std::string kInstaller = "\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"s;

struct Case {
  const char* name;
  std::string content;
  AttachmentKinds kinds;
};

const Case kCases[] = {
    {"nothing", "", {}},
    {"text", "Hello", {}},
    {"a program for Windows", windows_program(), {Kind::program}},
    {"a program for DOS", dos_program(), {Kind::program}},
    {"text that begins like one", "MZ is short for Mark Zbikowski, and more text", {}},
    {"two letters", "MZ", {}},
    {"ELF",
     "\x7f"
     "ELF\2\1\1"s,
     {Kind::program}},
    {"Mach-O", "\xcf\xfa\xed\xfe\7\0\0\1"s, {Kind::program}},
    {"a class of Java", "\xca\xfe\xba\xbe\0\0\0\x34"s, {Kind::program}},
    {"an installer", compound_file(kInstaller, ""), {Kind::program}},
    {"a document", compound_file("", utf16("WordDocument")), {}},
    {"a document with a project",
     compound_file("", utf16("_VBA_PROJECT")),
     {Kind::macro}},
    {"a table with a project",
     compound_file("", utf16("_VBA_PROJECT_CUR")),
     {Kind::macro}},
    {"a hidden macro sheet", compound_file("", sheet(2, 1)), {Kind::macro}},
    {"a macro sheet", compound_file("", sheet(0, 1)), {Kind::macro}},
    {"a sheet", compound_file("", sheet(0, 0)), {}},
    {"a project that is text", utf16("_VBA_PROJECT"), {}},
    {"ActiveMime", "ActiveMime\0\0"s, {Kind::macro}},
    {"Word in XML with macros",
     "<?xml version=\"1.0\"?><w:wordDocument w:macrosPresent=\"yes\">",
     {Kind::macro}},
    {"a note with a picture", note("\x89PNG\r\n"), {}},
    {"a note with a file", note("MZ"), {Kind::macro}},
    {"a shortcut",
     "\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46\0\0"s,
     {Kind::shortcut}},
    {"a link to a page",
     "[InternetShortcut]\r\nURL=file://198.51.100.7/a",
     {Kind::shortcut}},
    {"the same in UTF-16",
     "\xff\xfe" + utf16("[InternetShortcut]\r\n"),
     {Kind::shortcut}},
    {"behind a mark and blanks", "\xEF\xBB\xBF \r\n[internetshortcut]", {Kind::shortcut}},
    {"text about it", "See [InternetShortcut]", {}},
    {"of a desktop", "[Desktop Entry]\nExec=sh", {Kind::shortcut}},
    {"a library",
     "<?xml version=\"1.0\"?><libraryDescription xmlns=\"x\">",
     {Kind::shortcut}},
    {"a setting", "<?xml version=\"1.0\"?><PCSettings>", {Kind::shortcut}},
    {"an encoded script", "#@~^XXAAAA==", {Kind::script}},
    {"a help file", "ITSF\3\0\0\0"s, {Kind::script}},
    {"an application of HTML", "<html><head><HTA:APPLICATION ID=x>", {Kind::script}},
    {"a job", "<job id=\"a\"><script language=\"JScript\">", {Kind::script}},
    {"a page with a script", "<html><script>job()</script></html>", {}},
    {"keys of the registry", "Windows Registry Editor Version 5.00\r\n", {Kind::script}},
    {"an ISO image", at(32769, "CD001"), {Kind::disk_image}},
    {"a UDF image", at(32769, "BEA01"), {Kind::disk_image}},
    {"a virtual disk", "conectix" + std::string(504, '\0'), {Kind::disk_image}},
    {"a virtual disk of fixed size",
     at(1024, "conectix", 1024 + 512),
     {Kind::disk_image}},
    {"a disk of macOS", at(1024, "koly\0\0\0\4"s, 1024 + 512), {Kind::disk_image}},
    {"a picture", "\x89PNG\r\n\x1a\n", {}},
    {"PDF", "%PDF-1.7\n", {}},
};

TEST_CASE("a file is of the kind of its content", "[virus]") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    CHECK(kinds_of_content(c.content) == c.kinds);
  }
}

TEST_CASE("a file that was cut anywhere does no harm", "[virus]") {
  for (const Case& c : kCases) {
    for (std::size_t size = 0; size < std::min<std::size_t>(c.content.size(), 700);
         ++size) {
      kinds_of_content(std::string_view(c.content).substr(0, size));
    }
  }
}

TEST_CASE("a page begins with a tag", "[virus]") {
  for (const char* page :
       {"<html>", " \r\n<!DOCTYPE html>", "\xEF\xBB\xBF<a>", "<?xml"}) {
    CHECK(begins_as_markup(page));
  }
  for (const char* other : {"", "<", "< 3", "Hello <b>", "<1>"}) {
    CHECK_FALSE(begins_as_markup(other));
  }
  CHECK(begins_as_other_xml("<?xml version=\"1.0\"?><w:document>"));
  CHECK_FALSE(begins_as_other_xml("<?xml version=\"1.0\"?><svg>"));
  CHECK_FALSE(begins_as_other_xml("<svg>"));
}

}  // namespace
}  // namespace mxfeed::virus
