// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/deadly_messages.h"

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
const Time kNow{seconds(1'700'000'000)};

TEST_CASE("a message is deadly from the third death on", "[virus]") {
  DeadlyMessages deadly;
  CHECK(deadly.is_empty());
  CHECK_FALSE(deadly.note_death("a", kNow));
  CHECK_FALSE(deadly.note_death("a", kNow + hours(1)));
  CHECK_FALSE(deadly.note_death("b", kNow + hours(1)));
  CHECK_FALSE(deadly.is_deadly("a", kNow + hours(1)));
  CHECK(deadly.note_death("a", kNow + hours(2)));
  CHECK(deadly.is_deadly("a", kNow + hours(2)));
  CHECK_FALSE(deadly.is_deadly("b", kNow + hours(2)));
}

TEST_CASE("deaths are forgotten after some hours", "[virus]") {
  DeadlyMessages deadly;
  for (int i = 0; i < 3; ++i) deadly.note_death("a", kNow);
  CHECK(deadly.is_deadly("a", kNow + DeadlyMessages::kMemory));
  CHECK_FALSE(deadly.is_deadly("a", kNow + DeadlyMessages::kMemory + seconds(1)));
  CHECK(deadly.is_empty());
}

TEST_CASE("a message that was scanned begins anew", "[virus]") {
  DeadlyMessages deadly;
  deadly.note_death("a", kNow);
  deadly.note_death("a", kNow);
  deadly.forgive("a");
  CHECK(deadly.is_empty());
  CHECK_FALSE(deadly.note_death("a", kNow + hours(11)));
  // Not forgotten with the deaths that were forgiven.
  CHECK_FALSE(deadly.note_death("a", kNow + hours(13)));
  CHECK(deadly.note_death("a", kNow + hours(13)));
}

TEST_CASE("beyond a number of messages the oldest is forgotten", "[virus]") {
  DeadlyMessages deadly(2);
  for (const char* digest : {"a", "b", "c"}) {
    for (int i = 0; i < 3; ++i) deadly.note_death(digest, kNow);
  }
  CHECK_FALSE(deadly.is_deadly("a", kNow));
  CHECK(deadly.is_deadly("b", kNow));
  CHECK(deadly.is_deadly("c", kNow));
}

}  // namespace
}  // namespace mxfeed::virus
