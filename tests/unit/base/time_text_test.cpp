// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/time_text.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct Row {
  const char* name;
  const char* text;
  const char* want;  // in UTC; empty: no time
};

const Row kRows[] = {
    {"UTC", "2026-12-05T17:00:00Z", "2026-12-05T17:00:00Z"},
    {"east of it", "2026-12-05T18:00:00+01:00", "2026-12-05T17:00:00Z"},
    {"west of it, over midnight", "2026-12-31T22:30:00-05:00", "2027-01-01T03:30:00Z"},
    {"a blank instead of the T", "2026-12-05 17:00:00Z", "2026-12-05T17:00:00Z"},
    {"small letters", "2026-12-05t17:00:00z", "2026-12-05T17:00:00Z"},
    {"without seconds", "2026-12-05T17:00Z", "2026-12-05T17:00:00Z"},
    {"with a fraction", "2026-12-05T17:00:00.999Z", "2026-12-05T17:00:00Z"},
    {"a leap day", "2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
    {"before 1970", "1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"},
    {"no zone", "2026-12-05T17:00:00", ""},
    {"a date alone", "2026-12-05", ""},
    {"a date with a zone", "2026-12-05Z", ""},
    {"no such day", "2026-02-29T00:00:00Z", ""},
    {"no such month", "2026-13-01T00:00:00Z", ""},
    {"no such hour", "2026-12-05T24:00:00Z", ""},
    {"no such minute", "2026-12-05T17:60:00Z", ""},
    {"a leap second", "2026-12-31T23:59:60Z", ""},
    {"no such zone", "2026-12-05T17:00:00+24:00", ""},
    {"a zone without colon", "2026-12-05T17:00:00+0100", ""},
    {"a zone by name", "2026-12-05T17:00:00 CET", ""},
    {"more after it", "2026-12-05T17:00:00Z.", ""},
    {"a short year", "26-12-05T17:00:00Z", ""},
    {"a sign", "-026-12-05T17:00:00Z", ""},
    {"empty", "", ""},
};

TEST_CASE("a time is read with its zone, and written in UTC", "[base]") {
  for (const auto& row : kRows) {
    DYNAMIC_SECTION(row.name) {
      const auto time = parse_time(row.text);
      CHECK((time ? format_time(*time) : std::string()) == row.want);
      if (time) CHECK(parse_time(format_time(*time)) == time);
    }
  }
}

}  // namespace
}  // namespace mxfeed
