// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/evidence/groups.h"

#include <vector>

#include "milters/spam/evidence/table.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

TEST_CASE("the sum of a group is bounded and leaves the others alone", "[spam]") {
  struct {
    const char* name;
    std::vector<Evidence> findings;
    Group group;
    double sum;
  } const rows[] = {
      {"nothing", {}, Group::url, 0},
      {"one", {{"a", Group::url, 0.5}}, Group::url, 0.5},
      {"two", {{"a", Group::url, 0.5}, {"b", Group::url, 0.75}}, Group::url, 1.25},
      {"too much", {{"a", Group::url, 1}, {"b", Group::url, 1}}, Group::url, 1.5},
      {"too little", {{"a", Group::list, -9}}, Group::list, -0.5},
      {"another group", {{"a", Group::url, 1}}, Group::html, 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(group_sums(row.findings)[row.group] == row.sum);
  }
}

TEST_CASE("every slug of the table is found, others are not", "[spam]") {
  for (const Evidence& row : kEvidence) {
    CAPTURE(row.slug);
    REQUIRE(find_evidence(row.slug) != nullptr);
    CHECK(find_evidence(row.slug)->logit == row.logit);
  }
  CHECK(find_evidence("no-such-evidence") == nullptr);
  CHECK(find_evidence("") == nullptr);
}

}  // namespace
}  // namespace mxfeed::spam
