// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/background.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <stdexcept>
#include <string>

#include "common/base/file.h"
#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

int own_priority() {
  return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
}

std::size_t threads() {
  const auto status = read_file("/proc/self/status").value_or("");
  return std::stoul(status.substr(status.find("Threads:") + 8));
}

// In a process of its own, since a session is left for ever.
bool in_child(bool (*claim)()) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(claim() ? 0 : 1);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_CASE("work in the background has the lowest priority, and its caller the former one",
          "[virus]") {
  CHECK(in_child([] {
    const int before = own_priority();
    int during = 0;
    run_in_background([&] { during = own_priority(); });
    return during == 19 && own_priority() == before && threads() == 1;
  }));
}

// Also where there are no autogroups.
bool session_has(std::string_view nice) {
  const auto session = read_file("/proc/self/autogroup");
  return !session || session->ends_with(std::string(nice) + "\n");
}

TEST_CASE("a session has its former priority when it has left the background",
          "[virus]") {
  CHECK(in_child([] {
    run_in_background([] {});
    const bool was_low = session_has("nice 10");
    leave_the_background();
    return was_low && session_has("nice 0");
  }));
}

TEST_CASE("a process that only has to end has the lowest priority", "[virus]") {
  CHECK(in_child([] {
    leave_the_processor();
    return own_priority() == 19 && session_has("nice 19");
  }));
}

TEST_CASE("what work in the background throws comes to its caller", "[virus]") {
  CHECK(in_child([] {
    try {
      run_in_background([] { throw std::runtime_error("no"); });
    } catch (const std::runtime_error& error) {
      return std::string(error.what()) == "no";
    }
    return false;
  }));
}

TEST_CASE("work in the background has the processor for a quarter of the time",
          "[virus]") {
  CHECK(in_child([] {
    using std::chrono::steady_clock;
    const std::clock_t before = std::clock();
    run_in_background([] {
      const auto begin = steady_clock::now();
      while (steady_clock::now() - begin < std::chrono::seconds(1)) {
      }
    });
    return static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC < 0.5;
  }));
}

}  // namespace
}  // namespace mxfeed::virus
