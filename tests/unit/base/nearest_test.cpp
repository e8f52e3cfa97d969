// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/nearest.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct NearestCase {
  const char* given;
  const char* want;
};

const NearestCase kNearest[] = {
    {"dealy", "delay"},
    {"stat", "state"},
    {"State", "state"},
    {"subdomain", "subdomains"},
    {"sub_domains", "subdomains"},
    {"colour", ""},
    {"", ""},
    {"x", ""},
};

TEST_CASE("a misspelt word has its meaning guessed, a strange one has not", "[text]") {
  for (const auto& c : kNearest) {
    CHECK(nearest(c.given, {"delay", "state", "subdomains"}) == c.want);
  }
  CHECK(nearest(std::string(100'000, 'a'), {"delay"}).empty());
}

}  // namespace
}  // namespace mxfeed
