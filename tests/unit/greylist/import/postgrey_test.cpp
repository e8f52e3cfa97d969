// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/import/postgrey.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/greylist/import/entry_text.h"

namespace mxfeed::greylist {
namespace {

constexpr std::chrono::seconds kDelay{300};

// One line for each entry.
std::vector<std::string> read(PostgreyReader& reader, const std::string& text) {
  std::vector<std::string> entries;
  std::size_t from = 0;
  while (from < text.size()) {
    const auto end = text.find('\n', from);
    if (const auto entry = reader.take(text.substr(from, end - from))) {
      entries.push_back(text_of(*entry));
    }
    if (end == std::string::npos) break;
    from = end + 1;
  }
  return entries;
}

std::vector<std::string> read(const std::string& text) {
  PostgreyReader reader(kDelay);
  return read(reader, text);
}

TEST_CASE("a line of postgrey is one record", "[greylist]") {
  struct Row {
    const char* name;
    std::string line;
    const char* want;
  };
  for (const Row& row :
       {Row{"came back in time", "198.51.100.0/a@s.example/i@acme.example\t100,400",
            "passed 198.51.100.0 <a@s.example> <i@acme.example> 100 400 1"},
        Row{"came back too early", "198.51.100.0/a@s.example/i@acme.example\t100,399",
            "waiting 198.51.100.0 <a@s.example> <i@acme.example> 100 399 0"},
        Row{"the null sender", "198.51.100.0//i@acme.example\t100,100",
            "waiting 198.51.100.0 <> <i@acme.example> 100 100 0"},
        Row{"a slash in the sender", "198.51.100.0/c/d@s.example/i@acme.example\t1,900",
            "passed 198.51.100.0 <c/d@s.example> <i@acme.example> 1 900 1"},
        Row{"IPv6", "2001:db8:0:0:0:0:0:0/a@s.example/i@acme.example\t1,900",
            "passed 2001:db8:: <a@s.example> <i@acme.example> 1 900 1"},
        Row{"the host is kept, too", "198.51.100.0/a@s.example/i@acme.example\t1,900,7",
            "passed 198.51.100.0 <a@s.example> <i@acme.example> 1 900 1"},
        Row{"a client", "203.0.113.9\t6,1795678297",
            "host 203.0.113.9 <> <> 1795678297 1795678297 6"},
        Row{"many passes", "203.0.113.9\t99999999999,5",
            "host 203.0.113.9 <> <> 5 5 4294967295"},
        Row{"--privacy", "da39a3ee5e6b4b0d3255bfef95601890afd80709\t1,900", "hashed"},
        Row{"no value", "198.51.100.0/a@s.example/i@acme.example", "malformed"},
        Row{"no times", "198.51.100.0/a@s.example/i@acme.example\t", "malformed"},
        Row{"one time", "198.51.100.0/a@s.example/i@acme.example\t100", "malformed"},
        Row{"no number", "198.51.100.0/a@s.example/i@acme.example\t1,x", "malformed"},
        Row{"a time that does not exist",
            "198.51.100.0/a@s.example/i@acme.example\t1,99999999999999", "malformed"},
        Row{"no network", "x/a@s.example/i@acme.example\t1,2", "malformed"},
        Row{"no recipient", "198.51.100.0/a@s.example\t1,2", "malformed"},
        Row{"text", "hello", "malformed"}}) {
    INFO(row.name);
    CHECK(read(row.line) == std::vector<std::string>{row.want});
  }
}

TEST_CASE("dumps may follow each other, with and without -p", "[greylist]") {
  const std::string printed =
      "VERSION=3\nformat=print\ntype=btree\ndb_pagesize=4096\nHEADER=END\n"
      " 198.51.100.0/x\\\\y\\c2\\80@s.example/i@acme.example\n 100,400\nDATA=END\n";
  const std::string hexadecimal =
      "VERSION=3\nformat=bytevalue\ntype=btree\nHEADER=END\n"
      " 3230332e302e3131332e39\n 362c37\nDATA=END\n";
  PostgreyReader reader(kDelay);
  CHECK(read(reader, printed + hexadecimal) ==
        std::vector<std::string>{
            "passed 198.51.100.0 <x\\y\xc2\x80@s.example> <i@acme.example> 100 400 1",
            "host 203.0.113.9 <> <> 7 7 6"});
  CHECK(reader.is_complete());
}

TEST_CASE("a dump that was cut off is not complete", "[greylist]") {
  const std::string dump =
      "VERSION=3\nformat=print\nHEADER=END\n 203.0.113.9\n 6,7\n 203.0.113.8\n 6,7\n";
  std::size_t from = 0;
  while ((from = dump.find('\n', from)) != std::string::npos) {
    PostgreyReader reader(kDelay);
    read(reader, dump.substr(0, ++from));
    CHECK_FALSE(reader.is_complete());
  }
}

TEST_CASE("what is malformed in a dump does not spoil the rest", "[greylist]") {
  const std::string begin = "VERSION=3\nformat=print\nHEADER=END\n";
  CHECK(
      read(begin + " \\zz\n 6,7\n 203.0.113.9\n \\\n 203.0.113.8\n 6,7\nDATA=END\n") ==
      std::vector<std::string>{"malformed", "malformed", "host 203.0.113.8 <> <> 7 7 6"});
  CHECK(read(begin + " 203.0.113.8\nDATA=END\n") ==
        std::vector<std::string>{"malformed"});
}

}  // namespace
}  // namespace mxfeed::greylist
