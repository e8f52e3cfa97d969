// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/mail_log.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/base/fault.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

constexpr Time kNow{std::chrono::seconds(1'800'000'000)};

class Log {
 public:
  const fs::path& file() const { return file_; }

  void append(const std::string& text) const {
    std::ofstream(file_, std::ios::app | std::ios::binary) << text;
  }

  // The lines since the last call.
  std::vector<std::string> read() {
    std::vector<std::string> lines;
    // As it is stored.
    if (mark_) mark_ = LogMark::parse(mark_->str());
    mark_ = read_mail_log(file_, mark_, kNow,
                          [&](std::string_view line) { lines.emplace_back(line); });
    return lines;
  }

 private:
  const TempDirectory directory_;
  const fs::path file_ = directory_.path() / "mail.log";
  std::optional<LogMark> mark_;
};

using Lines = std::vector<std::string>;

TEST_CASE("a log is read on from where it was left", "[postfix-conf]") {
  Log log;
  log.append("before\n");
  CHECK(log.read() == Lines{});
  log.append("one\ntwo\n");
  CHECK(log.read() == Lines{"one", "two"});
  CHECK(log.read() == Lines{});
  // A line that is being written is left for the next time.
  log.append("three\nfo");
  CHECK(log.read() == Lines{"three"});
  log.append("ur\n");
  CHECK(log.read() == Lines{"four"});
}

TEST_CASE("a log that was begun again is read from its beginning", "[postfix-conf]") {
  Log log;
  log.append("before\n");
  log.read();
  SECTION("renamed") {
    fs::rename(log.file(), log.file().string() + ".1");
    log.append("one\n");
  }
  SECTION("cut") {
    fs::resize_file(log.file(), 0);
    log.append("one\n");
  }
  CHECK(log.read() == Lines{"one"});
}

TEST_CASE("lines that are too long are left out", "[postfix-conf]") {
  Log log;
  log.append("");
  log.read();
  const std::string longest(64 << 10, 'x');
  log.append("one\n" + longest + "x\n" + longest + "\n" + std::string(300'000, 'y') +
             "\ntwo\n");
  CHECK(log.read() == Lines{"one", longest, "two"});
}

TEST_CASE("what is no mark is not taken for one", "[postfix-conf]") {
  for (const char* text : {"", "8:1", "8:1 x 3", "8:1 2 -3", "8:1 2 3 4", " 2 3"}) {
    INFO(text);
    CHECK_FALSE(LogMark::parse(text).has_value());
  }
  CHECK(LogMark::parse("8:1 2 3") == LogMark{"8:1", 2, Time(std::chrono::seconds(3))});
}

TEST_CASE("what is no file is not read", "[postfix-conf]") {
  const TempDirectory directory;
  CHECK_THROWS_AS(read_mail_log(directory.path(), {}, kNow, [](std::string_view) {}),
                  Fault);
}

}  // namespace
}  // namespace mxfeed
