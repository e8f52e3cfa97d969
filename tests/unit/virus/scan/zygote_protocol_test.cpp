// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/zygote_protocol.h"

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

std::vector<std::string_view> views(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

TEST_CASE("a zygote's task survives its command line", "[virus]") {
  ZygoteTask task;
  task.settings.database = "/var/lib/clamav with blanks";
  task.settings.workers = 3;
  task.settings.max_scan_size = 1ull << 40;
  task.settings.max_file_size = 5;
  task.settings.max_files = 6;
  task.settings.max_recursion = 7;
  task.settings.max_scan_time = std::chrono::seconds(8);
  task.scratch = "/dev/shm/x";
  task.former_signatures = 8'700'000;
  task.in_background = true;
  const auto got = parse_zygote_arguments(views(to_arguments(task)));
  REQUIRE(got);
  CHECK(got->settings == task.settings);
  CHECK(got->scratch == task.scratch);
  CHECK(got->former_signatures == task.former_signatures);
  CHECK(got->in_background);
}

TEST_CASE("a command line that is no zygote's is refused", "[virus]") {
  CHECK_FALSE(parse_zygote_arguments({"mxfeed-scan", "--zygote", "--workers"}));
  CHECK_FALSE(parse_zygote_arguments({"mxfeed-scan", "--zygote", "--workers", "many"}));
  CHECK_FALSE(parse_zygote_arguments({"mxfeed-scan", "--zygote", "--unknown", "1"}));
}

TEST_CASE("reports and orders survive the way", "[virus]") {
  const ZygoteReport reports[] = {StillLoading{},        EngineReady{8'700'000, true},
                                  EngineReady{1, false}, WorkerDied{11},
                                  WorkerDied{0},         LoadFailed{"load: x: two words"},
                                  LoadFailed{"failed "}, EngineLost{}};
  for (const ZygoteReport& report : reports) {
    INFO(to_string(report));
    CHECK(parse_zygote_report(to_string(report)) == report);
  }
  for (const ZygoteOrder order :
       {ZygoteOrder::retire, ZygoteOrder::drain, ZygoteOrder::listen}) {
    CHECK(parse_zygote_order(to_string(order)) == order);
  }
}

TEST_CASE("a cause that is too long is cut and still arrives", "[virus]") {
  const std::string text = to_string(LoadFailed{std::string(1 << 20, 'x')});
  CHECK(text.size() <= kMaxZygoteReport);
  const auto report = parse_zygote_report(text);
  REQUIRE(report);
  CHECK(std::holds_alternative<LoadFailed>(*report));
}

TEST_CASE("what is no report or order is refused", "[virus]") {
  for (const char* text :
       {"", "loading more", "lost 1", "ready", "ready 1", "ready x 1", "ready 1 2",
        "ready 99999999999 1", "died", "died -1", "died 999", "failed"}) {
    INFO(text);
    CHECK_FALSE(parse_zygote_report(text));
  }
  CHECK_FALSE(parse_zygote_order(""));
  CHECK_FALSE(parse_zygote_order("retire "));
}

}  // namespace
}  // namespace mxfeed::virus
