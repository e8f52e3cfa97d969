// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/gate.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

struct Case {
  const char* name;
  std::vector<std::uint32_t> classes;  // of the recipients, in order
  std::string admitted;                // y or n for each
};

const Case kCases[] = {
    {"one recipient", {7}, "y"},
    {"many of one class", {7, 7, 7}, "yyy"},
    {"another class", {7, 8}, "yn"},
    {"the first class again after a refusal", {7, 8, 7, 7}, "ynnn"},
    {"a third class after a refusal", {7, 8, 9}, "ynn"},
    {"only domains that are not ours", {0, 0}, "yy"},
    {"ours after one that is not", {0, 1, 0}, "ynn"},
    {"one that is not ours after ours", {1, 0, 1}, "ynn"},
};

TEST_CASE("the first recipient fixes the class and a refusal is sticky", "[virus]") {
  for (const Case& c : kCases) {
    DYNAMIC_SECTION(c.name) {
      Gate gate;
      std::string admitted;
      for (const std::uint32_t content_class : c.classes) {
        admitted += gate.admit(content_class) ? 'y' : 'n';
      }
      CHECK(admitted == c.admitted);
    }
  }
}

TEST_CASE("a new transaction has a gate of its own", "[virus]") {
  Gate first;
  CHECK(first.admit(1));
  CHECK_FALSE(first.admit(2));
  CHECK(Gate().admit(2));
}

}  // namespace
}  // namespace mxfeed::virus
