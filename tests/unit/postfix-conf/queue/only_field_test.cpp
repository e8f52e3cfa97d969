// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/only_field.h"

#include <vector>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

struct FieldCase {
  const char* name;
  std::vector<const char*> lines;
  std::optional<std::string> value;
};

const FieldCase kFields[] = {
    {"one", {"Subject: a", "X-Mxfeed-Sender: own", "To: b"}, "own"},
    {"any case", {"x-mxfeed-SENDER:own"}, "own"},
    {"folded",
     {"X-Mxfeed-Sender: spf=pass", "\tsmtp.mailfrom=a.example", "To: b"},
     "spf=pass\tsmtp.mailfrom=a.example"},
    {"none", {"Subject: X-Mxfeed-Sender: own", "X-Mxfeed-Sender-2: own"}, std::nullopt},
    {"in the fold of another", {"Subject: a", " X-Mxfeed-Sender: own"}, std::nullopt},
    {"two", {"X-Mxfeed-Sender: own", "X-Mxfeed-Sender: own"}, std::nullopt},
    {"a second one with a blank",
     {"X-Mxfeed-Sender: own", "X-Mxfeed-Sender : a"},
     std::nullopt},
    {"a fold first", {" own", "X-Mxfeed-Sender: a"}, "a"},
    {"without a value", {"X-Mxfeed-Sender:"}, ""},
    {"nothing", {}, std::nullopt},
};

TEST_CASE("a field counts if the header has one of the name", "[postfix-conf]") {
  for (const auto& c : kFields) {
    DYNAMIC_SECTION(c.name) {
      OnlyField field("X-Mxfeed-Sender");
      for (const char* const line : c.lines) field.add(line);
      CHECK(field.value() == c.value);
    }
  }
}

TEST_CASE("a header that is too long has no field", "[postfix-conf]") {
  OnlyField field("X-Mxfeed-Sender");
  field.add("X-Mxfeed-Sender: own");
  const std::string line(1023, 'a');
  for (std::size_t size = 21; size + 1024 <= OnlyField::kMostHeader; size += 1024) {
    field.add(line);
  }
  CHECK_FALSE(field.is_too_long());
  CHECK(field.value() == "own");
  field.add(line);
  CHECK(field.is_too_long());
  CHECK(field.value() == std::nullopt);
}

}  // namespace
}  // namespace mxfeed
