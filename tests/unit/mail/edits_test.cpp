// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/edits.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("indexed edits run from the highest index down, then additions", "[mail]") {
  MessageEdits edits;
  edits.append("X-A", "1");
  edits.remove("X-Mxfeed-Spam", 1);
  edits.insert_first("X-B", "2");
  edits.remove("X-Mxfeed-Spam", 3);
  edits.replace("Subject", 2, "s");
  std::string order;
  for (const HeaderEdit& edit : edits.ordered()) {
    order += edit.name + std::to_string(edit.index) + " ";
  }
  CHECK(order == "X-Mxfeed-Spam3 Subject2 X-Mxfeed-Spam1 X-A0 X-B0 ");
}

}  // namespace
}  // namespace mxfeed
