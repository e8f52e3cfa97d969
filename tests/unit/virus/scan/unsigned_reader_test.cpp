// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/unsigned_reader.h"

#include <cstdio>
#include <random>
#include <string>

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

constexpr unsigned kUntouched = 4711;

// What the C library reads; values that it does not touch stay 0.
Unsigneds by_libc(const char* text, bool is_pair) {
  unsigned first = kUntouched, second = kUntouched;
  // NOLINTNEXTLINE(cert-err34-c)
  const int count = is_pair ? std::sscanf(text, "%u,%u", &first, &second)
                            : std::sscanf(text, "%u", &first);
  Unsigneds read;
  read.count = count;
  if (count >= 1) read.values[0] = first;
  if (count >= 2) read.values[1] = second;
  // Nothing else may have been written.
  CHECK((count >= 1 || first == kUntouched));
  CHECK((count >= 2 || second == kUntouched));
  return read;
}

TEST_CASE("plain numbers are read as the C library reads them", "[virus]") {
  const struct {
    const char* text;
    bool one;   // is known for "%u"
    bool pair;  // for "%u,%u"
  } rows[] = {
      {"0", true, true},
      {"7", true, true},
      {"0&1", true, true},
      {"12|3", true, true},
      {"0=3&1>1,2", true, true},
      {"1,2", true, true},
      {"1,2,3", true, true},
      {"1,2)", true, true},
      {"007", true, true},
      {"1 ,2", true, true},
      {"1;2", true, true},
      {"999999999", true, true},
      {"999999999,999999999", true, true},
      {"0x10", true, true},
      {"5\xff", true, true},
      {"1,", true, false},
      {"1, 2", true, false},
      {"1,+2", true, false},
      {"1,-2", true, false},
      {"1,x", true, false},
      {"1,,2", true, false},
      {"1,1000000000", true, false},
      {"1000000000", false, false},
      {"4294967295", false, false},
      {"4294967296", false, false},
      {"99999999999999999999999", false, false},
      {"0000000001", false, false},
      {"", false, false},
      {" 1", false, false},
      {"+1", false, false},
      {"-1", false, false},
      {",1", false, false},
      {"x", false, false},
      {"(0", false, false},
      {"\xb2", false, false},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    const auto one = read_unsigneds(row.text, "%u");
    CHECK(one.has_value() == row.one);
    if (one) CHECK(*one == by_libc(row.text, false));
    const auto pair = read_unsigneds(row.text, "%u,%u");
    CHECK(pair.has_value() == row.pair);
    if (pair) CHECK(*pair == by_libc(row.text, true));
  }
}

TEST_CASE("any other format is left to the C library", "[virus]") {
  for (const char* format :
       {"",      "%",     "u",     "%d",  "%u ",  " %u",    "%uu",
        "%lu",   "%5u",   "%*u",   "%u,", "%u,%", "%u,%u,", "%u,%u,%u",
        "%u,%d", "%u;%u", "%u %u", "%%u", "%U",   "%u%n",   "%c%zu%c"}) {
    INFO(format);
    CHECK_FALSE(read_unsigneds("1,2", format));
  }
}

TEST_CASE("random texts are read as the C library reads them", "[virus]") {
  std::mt19937 random(20261127);
  const std::string_view letters =
      "0123456789012345678901234567890123456789,,,,&|=>() +-x";
  std::size_t known = 0;
  for (int i = 0; i < 300'000; ++i) {
    std::string text(random() % 14, '\0');
    for (char& c : text) c = letters[random() % letters.size()];
    for (const bool is_pair : {false, true}) {
      const auto read = read_unsigneds(text.c_str(), is_pair ? "%u,%u" : "%u");
      if (!read) continue;
      ++known;
      if (*read == by_libc(text.c_str(), is_pair)) continue;
      FAIL(text);
    }
  }
  CHECK(known > 100'000);
}

}  // namespace
}  // namespace mxfeed::virus
