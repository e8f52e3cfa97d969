// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/step_guard.h"

#include <new>
#include <string>

#include "common/base/metrics.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

std::uint64_t failed_steps() {
  return counter("mxfeed_sessions_lost_total", R"(reason="failed_step")").value();
}

TEST_CASE("after a step that failed no other one runs", "[milter]") {
  StepGuard guard;
  const auto before = failed_steps();
  CHECK(guard.run([] {}));
  CHECK_FALSE(guard.run([] { throw std::bad_alloc(); }));
  CHECK(failed_steps() == before + 1);
  bool has_run = false;
  CHECK_FALSE(guard.run([&] { has_run = true; }));
  CHECK_FALSE(has_run);
  CHECK(failed_steps() == before + 1);
}

TEST_CASE("what is no exception of the library does not leave a step", "[milter]") {
  StepGuard guard;
  CHECK_FALSE(guard.run([] { throw 1; }));
}

}  // namespace
}  // namespace mxfeed
