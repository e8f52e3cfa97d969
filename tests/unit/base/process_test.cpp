// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

std::string output_of(const std::vector<std::string>& argv, std::string_view input = "") {
  std::string lines;
  const auto result = run_command(
      argv, input, [&](std::string_view line) { lines += std::string(line) + "|"; });
  return lines + std::to_string(result.status);
}

TEST_CASE("a command gets its input, its lines and its status come back", "[base]") {
  CHECK(output_of({"cat"}, "one\ntwo") == "one|two|0");
  CHECK(output_of({"sh", "-c", "echo x; exit 3"}) == "x|3");
  CHECK(output_of({"sh", "-c", "kill -TERM $$"}) == "143");
  const auto result =
      run_command({"sh", "-c", "echo why >&2; exit 1"}, "", [](std::string_view) {});
  CHECK(result.errors == "why\n");
}

TEST_CASE("a command that cannot be started tells why", "[base]") {
  for (const char* program : {"no-such-program", "/no/such/program", "/etc/passwd"}) {
    INFO(program);
    const auto result = run_command({program}, "", [](std::string_view) {});
    CHECK(result.status == 127);
    CHECK(result.errors.find(program) != std::string::npos);
  }
}

TEST_CASE("descriptors are passed even when their numbers overlap", "[base]") {
  int first[2], second[2];
  REQUIRE(::pipe2(first, O_CLOEXEC) == 0);
  REQUIRE(::pipe2(second, O_CLOEXEC) == 0);
  const Fd first_read(first[0]), second_read(second[0]);
  Fd first_write(first[1]), second_write(second[1]);
  // Each is wanted where the other is now.
  const PassedFd passed[] = {{first_write.get(), second_write.get()},
                             {second_write.get(), first_write.get()}};
  const std::string script = "echo first >&" + std::to_string(second_write.get()) +
                             "; echo second >&" + std::to_string(first_write.get());
  const pid_t pid = spawn("/bin/sh", {"sh", "-c", script}, passed);
  first_write.reset();
  second_write.reset();
  char text[16];
  const ssize_t got_first = ::read(first_read.get(), text, sizeof text);
  CHECK(std::string(text, static_cast<std::size_t>(got_first)) == "first\n");
  const ssize_t got_second = ::read(second_read.get(), text, sizeof text);
  CHECK(std::string(text, static_cast<std::size_t>(got_second)) == "second\n");
  int status = -1;
  CHECK(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}

TEST_CASE("a started program has default signals", "[base]") {
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &term, &before);
  const auto old = std::signal(SIGTERM, SIG_IGN);
  CHECK(output_of({"sh", "-c", "kill -TERM $$; echo survived"}) == "143");
  std::signal(SIGTERM, old);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("what cannot be started throws", "[base]") {
  CHECK_THROWS_AS(spawn("/no/such/program", {"x"}, {}), Fault);
}

}  // namespace
}  // namespace mxfeed
