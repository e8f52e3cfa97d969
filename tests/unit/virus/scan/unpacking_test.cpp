// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/unpacking.h"

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

// Data of CMS (RFC 5652, 4) with that content.
std::string cms(const std::string& content) {
  const auto element = [](unsigned tag, const std::string& bytes) {
    return static_cast<char>(tag) + std::string("\x82") +
           static_cast<char>(bytes.size() / 256) + static_cast<char>(bytes.size() % 256) +
           bytes;
  };
  return element(0x30, element(6, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01") +
                           element(0xa0, element(4, content)));
}

UnpackRoom room() {
  return {1 << 20, 1 << 20, 100, [] { return false; }};
}

TEST_CASE("contents come in order, each once, a mail also as one", "[virus]") {
  Unpacking unpacking(room(), 17);
  unpacking.examine(cms("one"), true);
  unpacking.examine(cms("Subject: two\r\n"), true);
  unpacking.examine(cms("one"), true);
  std::vector<std::pair<std::string, bool>> found;
  while (const auto content = unpacking.next()) {
    CHECK(content->depth == 1);
    found.emplace_back(content->bytes, content->is_message);
  }
  const std::vector<std::pair<std::string, bool>> expected = {
      {"one", false}, {"Subject: two\r\n", false}, {"Subject: two\r\n", true}};
  CHECK(found == expected);
  CHECK(unpacking.unscannable().empty());
}

TEST_CASE("contents in contents are unscannable beyond the limit", "[virus]") {
  for (const unsigned depth : {3u, 4u, 5u}) {
    std::string content = "x";
    for (int i = 0; i < 4; ++i) content = cms(content);
    Unpacking unpacking(room(), depth);
    unpacking.examine(content, true);
    while (const auto next = unpacking.next()) {
      CHECK(next->depth <= depth);
      unpacking.examine(next->bytes, true);
    }
    CHECK(unpacking.unscannable() == (depth < 4 ? "MaxRecursion" : ""));
  }
}

}  // namespace
}  // namespace mxfeed::virus
