// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/tag_list.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("a tag is found by its name, without white space", "[mail]") {
  const char* const list =
      " v=1; a = rsa-sha256;\r\n\td=a.example; h=From : To :\r\n Subject;b=a=;D=x;d=y";
  CHECK(tag_value(list, "v") == "1");
  CHECK(tag_value(list, "a") == "rsa-sha256");
  CHECK(tag_value(list, "d") == "a.example");
  CHECK(tag_value(list, "h") == "From:To:Subject");
  CHECK(tag_value(list, "b") == "a=");
  CHECK_FALSE(tag_value(list, "s"));
  CHECK_FALSE(tag_value("", "d"));
  CHECK(tag_value("d=", "d") == "");
}

}  // namespace
}  // namespace mxfeed
