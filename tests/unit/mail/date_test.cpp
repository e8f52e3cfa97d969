// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/date.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("dates of mail are parsed", "[mail]") {
  struct {
    const char* name;
    const char* in;
    long long seconds;  // since 1970; -1: none
  } const rows[] = {
      {"RFC 5322", "Mon, 23 Nov 2026 10:11:12 +0100", 1795425072},
      {"without weekday and seconds", "23 Nov 2026 10:11 +0100", 1795425060},
      {"comments and folds", "Mon,\n 23 (x) Nov 2026 10:11:12 +0100 (CET)", 1795425072},
      {"a zone name", "Mon, 23 Nov 2026 04:11:12 EST", 1795425072},
      {"a military zone counts as UTC", "Mon, 23 Nov 2026 09:11:12 A", 1795425072},
      {"no zone", "Mon, 23 Nov 2026 09:11:12", 1795425072},
      {"two digits of year", "Fri, 23 Nov 01 09:11:12 GMT", 1006506672},
      {"three digits of year", "23 Nov 101 09:11:12 GMT", 1006506672},
      {"dashes", "23-Nov-2026 10:11:12 +0100", 1795425072},
      {"asctime", "Mon Nov 23 09:11:12 2026", 1795425072},
      {"asctime with a zone", "Mon Nov 23 09:11:12 GMT 2026", 1795425072},
      {"leap second", "23 Nov 2026 10:11:60 +0100", 1795425120},
      {"wrong weekday", "Sun, 23 Nov 2026 10:11:12 +0100", 1795425072},
      {"empty", "", -1},
      {"no such day", "31 Nov 2026 10:11:12 +0100", -1},
      {"no such hour", "23 Nov 2026 24:11:12 +0100", -1},
      {"no such zone", "23 Nov 2026 10:11:12 +0160", -1},
      {"no month", "23 2026 10:11:12", -1},
      {"no time", "23 Nov 2026", -1},
      {"a huge year", "23 Nov 99999 10:11:12", -1},
      {"ISO 8601 is none", "2026-11-23T10:11:12Z", -1},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const auto date = parse_date(row.in);
    CHECK((date ? date->time_since_epoch().count() : -1) == row.seconds);
  }
}

}  // namespace
}  // namespace mxfeed
