// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/without_blanks.h"

#include <random>
#include <string>

#include "common/base/text.h"
#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

std::string copied(std::size_t (*copy)(std::string_view, char*), std::string_view text) {
  std::string to(text.size() + kCopyMargin, '?');
  to.resize(copy(text, to.data()));
  return to;
}

TEST_CASE("white space is left out, whatever character stands where", "[virus]") {
  for (int c = 0; c < 256; ++c) {
    const std::string one(1, static_cast<char>(c));
    const bool is_blank = is_space(one[0]);
    for (std::size_t place = 0; place < 33; ++place) {
      std::string text(33, 'x');
      text[place] = one[0];
      const std::string kept = is_blank ? std::string(32, 'x') : text;
      REQUIRE(copied(copy_without_blanks, text) == kept);
      REQUIRE(copied(copy_without_blanks_plainly, text) == kept);
    }
  }
}

TEST_CASE("both ways of leaving out white space give the same", "[virus]") {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 200, '\0');
    for (char& c : text) {
      c = random() % 3 == 0 ? "\t\n\r "[random() % 4] : static_cast<char>(random());
    }
    INFO(round);
    REQUIRE(copied(copy_without_blanks, text) ==
            copied(copy_without_blanks_plainly, text));
  }
}

}  // namespace
}  // namespace mxfeed::virus
