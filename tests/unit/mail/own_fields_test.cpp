// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/own_fields.h"

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

TEST_CASE("all names that begin with X-Mxfeed- are ours, whatever their case", "[mail]") {
  for (const char* name : {"X-Mxfeed-Spam", "x-mxfeed-virus", "X-MXFEED-",
                           "X-Mxfeed-\x01", "X-Mxfeed-Later ", "\tx-mxfeed-spam\t "}) {
    CAPTURE(name);
    CHECK(is_own_field(name));
  }
  for (const char* name : {"", "X-Mxfeed", "X-Mxfeeder", "X_Mxfeed-Spam",
                           "X -Mxfeed-Spam", "Subject", "X-Spam-Status"}) {
    CAPTURE(name);
    CHECK_FALSE(is_own_field(name));
  }
}

TEST_CASE("copies of our fields are removed, the highest index first", "[mail]") {
  OwnFields fields;
  for (const char* name : {"X-Mxfeed-Spam", "Subject", "x-mxfeed-spam ", "X-MXFEED-Virus",
                           "X-Mxfeed-SPAM"}) {
    fields.see(name);
  }
  const auto text_of = [](const MessageEdits& edits) {
    std::string text;
    for (const HeaderEdit& edit : edits.ordered()) {
      CHECK(edit.kind == HeaderEdit::Kind::remove);
      text += edit.name + "#" + std::to_string(edit.index) + " ";
    }
    return text;
  };
  MessageEdits all;
  CHECK(fields.remove(all) == 4);
  CHECK(text_of(all) ==
        "x-mxfeed-spam#3 x-mxfeed-spam#2 x-mxfeed-spam#1 x-mxfeed-virus#1 ");
  MessageEdits some;
  CHECK(fields.remove(some, "X-Mxfeed-Virus") == 3);
  CHECK(text_of(some) == "x-mxfeed-spam#3 x-mxfeed-spam#2 x-mxfeed-spam#1 ");
  MessageEdits none;
  CHECK(OwnFields().remove(none) == 0);
  CHECK(none.empty());
}

}  // namespace
}  // namespace mxfeed
