// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/line_splitter.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using Lines = std::vector<std::string>;

TEST_CASE("lines are the same however the text is cut", "[base]") {
  const std::string text = "one\n\nthree, which is longer\nfour\r\nlast";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    INFO(piece);
    Lines lines;
    const auto see = [&](std::string_view line) { lines.emplace_back(line); };
    LineSplitter splitter(100);
    for (std::size_t at = 0; at < text.size(); at += piece) {
      splitter.feed(std::string_view(text).substr(at, piece), see);
    }
    CHECK(lines == Lines{"one", "", "three, which is longer", "four\r"});
    CHECK(splitter.unfinished() == 4);
    splitter.finish(see);
    CHECK(lines.back() == "last");
    CHECK(splitter.unfinished() == 0);
    splitter.finish(see);
    CHECK(lines.size() == 5);
  }
}

TEST_CASE("a line that is too long is left out, and only that", "[base]") {
  for (const std::size_t piece : {1, 7, 1000}) {
    INFO(piece);
    const std::string text = "1234\n12345\n1\n" + std::string(500, 'x') + "\n2\n";
    Lines lines;
    const auto see = [&](std::string_view line) { lines.emplace_back(line); };
    LineSplitter splitter(4);
    for (std::size_t at = 0; at < text.size(); at += piece) {
      splitter.feed(std::string_view(text).substr(at, piece), see);
    }
    splitter.finish(see);
    CHECK(lines == Lines{"1234", "1", "2"});
    CHECK(splitter.left_out() == 2);
  }
}

}  // namespace
}  // namespace mxfeed
