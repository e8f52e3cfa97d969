// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/spool.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

void set_time(const fs::path& file, std::int64_t time) {
  const timespec times[2] = {{time, 0}, {time, 0}};
  REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
}

TEST_CASE("the times of attempts are those of the queue's files", "[postfix-conf]") {
  const TempDirectory directory;
  const fs::path queue = directory.path();
  for (const char* one : {"deferred/A", "deferred/B/C", "defer/A", "pid"}) {
    fs::create_directories(queue / one);
  }
  for (const char* one : {"deferred/A/A1", "deferred/A/A2", "deferred/A/A3",
                          "deferred/B/C/B1", "defer/A/A1", "defer/A/A3"}) {
    write_file(queue / one, one);
  }
  write_file(queue / "defer/A/A2", "");  // a log that is empty
  set_time(queue / "deferred/A/A1", 2'000'000'000);
  set_time(queue / "defer/A/A1", 1'500'000'000);
  const Time now = system_time();
  set_time(queue / "defer/A/A3", 4'000'000'000);  // touched by somebody

  const Spool spool(queue);
  CHECK(spool.attempts("A1").last == Time(std::chrono::seconds(1'500'000'000)));
  CHECK(spool.attempts("A1").next == Time(std::chrono::seconds(2'000'000'000)));
  CHECK(spool.attempts("A2").last == std::nullopt);
  CHECK(spool.attempts("A3").last.value() <= now + std::chrono::seconds(60));
  CHECK(spool.attempts("B1").last == std::nullopt);
  CHECK(spool.attempts("B1").next.has_value());
  CHECK(spool.attempts("absent").next == std::nullopt);

  CHECK(postfix_started(queue) == std::nullopt);
  // Of a Postfix that has ended, or of another program.
  for (const char* pid : {"4194304999", "1", "", "x"}) {
    write_file(queue / "pid/master.pid", pid);
    CHECK(postfix_started(queue) == std::nullopt);
  }
  CHECK_THROWS_AS(Spool(queue / "absent"), Fault);
}

}  // namespace
}  // namespace mxfeed
