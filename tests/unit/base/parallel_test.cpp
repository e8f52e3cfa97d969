// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/parallel.h"

#include <atomic>
#include <stdexcept>
#include <vector>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("each piece of work is done once", "[base]") {
  for (const std::size_t count : {0, 1, 2, 1000}) {
    std::vector<std::atomic<int>> calls(count);
    std::size_t told = 0;
    for_each_on_all_cores(
        count, [&](std::size_t i) { ++calls[i]; },
        [&](std::size_t done) { told = done; });
    for (const auto& one : calls) CHECK(one == 1);
    CHECK(told <= count);
  }
}

TEST_CASE("what a piece of work throws is thrown when the others have ended", "[base]") {
  std::atomic<int> running{0};
  const auto work = [&](std::size_t i) {
    ++running;
    if (i % 10 == 7) {
      --running;
      throw std::runtime_error("seven");
    }
    --running;
  };
  CHECK_THROWS_AS(for_each_on_all_cores(100, work), std::runtime_error);
  CHECK(running == 0);
}

}  // namespace
}  // namespace mxfeed
