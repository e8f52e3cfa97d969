// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/program/status_snapshot.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("a snapshot is shown in order, and read again", "[program]") {
  StatusSnapshot snapshot;
  snapshot.add("program", "mxfeed-scan").add("pid", 7).add("rar", true).add("none", "");
  CHECK(snapshot.to_string() == "program: mxfeed-scan\npid: 7\nrar: yes\nnone: \n");
  CHECK(StatusSnapshot::parse(snapshot.to_string()).entries() == snapshot.entries());
  CHECK(snapshot.find("pid") == "7");
  CHECK_FALSE(snapshot.find("pi"));
}

TEST_CASE("a value stays on its line", "[program]") {
  StatusSnapshot snapshot;
  snapshot.add("last_fault", "one\ngeneration: 9\r");
  const auto parsed = StatusSnapshot::parse(snapshot.to_string());
  CHECK(parsed.entries().size() == 1);
  CHECK_FALSE(parsed.find("generation"));
}

TEST_CASE("lines that are no entries are skipped", "[program]") {
  const auto parsed = StatusSnapshot::parse("error: unknown\n\nno colon\n: x\na: b: c");
  CHECK(parsed.entries().size() == 2);
  CHECK(parsed.find("a") == "b: c");
}

}  // namespace
}  // namespace mxfeed
