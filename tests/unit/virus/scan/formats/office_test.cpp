// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/office.h"

#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/virus/scan/formats/made.h"

namespace mxfeed::virus {
namespace {

struct Stream {
  std::string name;
  std::string content;
  bool is_small = false;  // in the mini stream
};

std::string entry(const std::string& name, unsigned type, std::size_t start,
                  std::size_t size) {
  std::string wide;
  for (const char c : name) wide += std::string(1, c) + '\0';
  wide.resize(64);
  return wide + le(name.size() * 2 + 2, 2) + le(type, 1) + std::string(49, '\0') +
         le(start, 4) + le(size, 8);
}

// A compound file with one stream: header, directory, root stream, stream; its
// allocation tables are left out, for nobody reads them.
std::string compound_file(const Stream& stream, unsigned shift = 9) {
  const std::size_t sector = std::size_t{1} << shift;
  std::string header = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + std::string(22, '\0') +
                       le(shift, 2) + le(6, 2);
  header.resize(sector);
  std::string directory =
      entry("Root Entry", 5, 1, stream.is_small ? stream.content.size() : 0) +
      entry(stream.name, 2, stream.is_small ? 0 : 1,
            stream.is_small ? stream.content.size() : 8192);
  directory.resize(sector);
  std::string content = stream.content;
  content.resize(8192);
  return header + directory + content;
}

TEST_CASE("encrypted documents of Office", "[virus]") {
  const std::string fib = le(0xa5ec, 2) + le(0, 8);
  const std::string begin = le(0x0809, 2) + le(4, 2) + le(0, 4);
  const std::string user = le(0, 8) + le(20, 4);
  const std::string yes = "encrypted Encrypted.Office";
  struct Case {
    const char* name;
    Stream stream;
    std::string found;
  };
  const Case cases[] = {
      {"a package", {"EncryptedPackage", "x"}, yes},
      {"a small package", {"EncryptedPackage", "x", true}, yes},
      {"an ordinary package", {"Package", "x"}, ""},
      {"a document", {"WordDocument", fib + le(0x0100, 2)}, yes},
      {"an open document", {"WordDocument", fib + le(0x02c0, 2)}, ""},
      {"a table", {"Workbook", begin + le(0x2f, 2) + le(6, 2) + le(0, 6)}, yes},
      {"a table of 1995", {"Book", begin + le(0x2f, 2) + le(4, 2) + le(0, 4)}, yes},
      {"a table that must not be written",
       {"Workbook", begin + le(0x86, 2) + le(0, 2) + le(0x2f, 2) + le(6, 2) + le(0, 6)},
       yes},
      {"an open table", {"Workbook", begin + le(0xe1, 2) + le(2, 2) + le(0, 2)}, ""},
      {"slides", {"Current User", user + le(0xf3d1c4df, 4), true}, yes},
      {"open slides", {"Current User", user + le(0xe391c05f, 4), true}, ""},
  };
  for (const Case& c : cases) {
    for (const unsigned shift : {9u, 12u}) {
      CAPTURE(c.name, shift);
      CHECK(found_in(compound_file(c.stream, shift), examine_office) == c.found);
    }
  }
}

TEST_CASE("compound files that are cut off or no compound files", "[virus]") {
  const std::string file = compound_file({"Workbook", "x"});
  for (const std::size_t size : {0, 8, 31, 511, 512, 600, 1024, 1025}) {
    CHECK(found_in(std::string_view(file).substr(0, size), examine_office).empty());
  }
  CHECK(found_in(payload(), examine_office).empty());
}

}  // namespace
}  // namespace mxfeed::virus
