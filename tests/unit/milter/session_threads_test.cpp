// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/session_threads.h"

#include <sys/resource.h>

#include <string>
#include <vector>

#include "common/base/metrics.h"
#include "tests/support/catch.h"

using namespace mxfeed;

TEST_CASE("session limit: the scarcest resource bounds the sessions") {
  struct Row {
    std::string name;
    Resources resources;
    std::size_t sessions;
    std::string bound_by;
  };
  const std::vector<Row> rows = {
      {"no limits", {}, 10'000, "default"},
      {"ample", {524'288, 100'000, 100'000}, 10'000, "default"},
      {"as systemd sets them", {524'288, 127'000, 4'915}, 4'787, "tasks"},
      {"three descriptors each", {1'024, {}, {}}, 320, "descriptors"},
      {"the user's threads", {65'536, 500, 4'915}, 372, "processes"},
      {"just below the default", {30'061, {}, {}}, 9'999, "descriptors"},
      {"none left", {64, {}, {}}, 1, "descriptors"},
      {"less than none", {3, 1, 1}, 1, "descriptors"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    const SessionLimit limit = session_limit(row.resources);
    CHECK(limit.sessions == row.sessions);
    CHECK(limit.bound_by == row.bound_by);
  }
}

TEST_CASE("session limit: the process's own limit of descriptors counts") {
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &old) == 0);
  rlimit low = old;
  low.rlim_cur = 94;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  const Resources resources = Resources::of_this_process();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &old) == 0);
  REQUIRE(resources.descriptors);
  CHECK(*resources.descriptors == 94);
  CHECK(session_limit(resources).sessions == 10);
}

TEST_CASE("session limit: it is shown and holds") {
  limit_sessions({2, "tasks"});
  CHECK(gauge("mxfeed_sessions_max").value() == 2);
  gauge("mxfeed_sessions").set(1);
  CHECK(has_room_for_session());
  gauge("mxfeed_sessions").set(2);
  CHECK_FALSE(has_room_for_session());
  gauge("mxfeed_sessions").set(0);
  limit_sessions(session_limit({}));
}
