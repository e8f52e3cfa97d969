// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/rar.h"

#include "tests/support/catch.h"
#include "tests/unit/virus/scan/formats/made.h"

namespace mxfeed::virus {
namespace {

// A block of RAR 1.5 to 4; sums do not matter.
std::string block(unsigned type, unsigned flags, const std::string& body,
                  const std::string& data = "") {
  return le(0, 2) + le(type, 1) + le(flags, 2) + le(7 + body.size(), 2) + body + data;
}

std::string file4(const std::string& name, unsigned flags = 0x8000,
                  const std::string& large = "") {
  return block(0x74, flags,
               le(3, 4) + le(3, 4) + std::string(11, 'x') + le(name.size(), 2) +
                   le(0, 4) + large + name,
               "abc");
}

std::string archive4(const std::string& blocks, unsigned flags = 0) {
  return "Rar!\x1a\x07" + std::string(1, '\0') +
         block(0x73, flags, std::string(6, '\0')) + blocks;
}

std::string header5(const std::string& body) {
  return le(0, 4) + le(body.size(), 1) + body;
}

std::string file5(const std::string& name) {
  // A time and a sum; three bytes of content, its size in two digits.
  return header5(le(2, 1) + le(2, 1) + "\x83" + le(0, 1) + le(6, 1) + le(3, 1) +
                 le(32, 1) + std::string(8, 'x') + le(0, 1) + le(1, 1) +
                 le(name.size(), 1) + name) +
         "abc";
}

std::string archive5(const std::string& blocks) {
  return std::string("Rar!\x1a\x07\1\0", 8) + header5(le(1, 1) + le(0, 1) + le(0, 1)) +
         blocks;
}

TEST_CASE("files in RAR archives have names", "[virus]") {
  const std::string encrypted = header5(le(4, 1) + le(0, 1) + std::string(20, 'x'));
  const struct {
    const char* name;
    std::string content;
    const char* names;
  } rows[] = {
      {"two", archive4(file4("a.js") + file4("b.txt")), "a.js b.txt"},
      {"an encrypted one", archive4(file4("a.js", 0x8004)), "a.js"},
      {"a large one", archive4(file4("a.js", 0x8100, std::string(8, '\0')) + file4("b")),
       "a.js b"},
      {"a name in two forms", archive4(file4(std::string("a.js\0packed", 11))), "a.js"},
      {"encrypted names", archive4(file4("a.js"), 0x80), ""},
      {"version 5", archive5(file5("a.js") + file5("b.txt")), "a.js b.txt"},
      {"version 5, encrypted names", archive5(encrypted + file5("a.js")), ""},
      {"behind a program", "MZ" + std::string(99, 'x') + archive5(file5("a.js")), "a.js"},
      {"cut off", archive4(file4("a.js") + file4("b.txt").substr(0, 30)), "a.js"},
      {"the mark alone", "Rar!\x1a\x07", ""},
      {"a block of no size", archive4(std::string(100, '\0')), ""},
      {"nothing", "", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(names_in(row.content, examine_rar) == row.names);
  }
}

}  // namespace
}  // namespace mxfeed::virus
