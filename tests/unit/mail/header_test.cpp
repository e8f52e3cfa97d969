// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/header.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("field names are printable ASCII without colon", "[mail]") {
  CHECK(is_field_name("X-Mxfeed-Spam"));
  CHECK(is_field_name("!"));
  for (const char* name : {"", "a b", "a:", "a\x7f", "\xC3\xA4", "a\tb"}) {
    CAPTURE(name);
    CHECK_FALSE(is_field_name(name));
  }
}

}  // namespace
}  // namespace mxfeed
