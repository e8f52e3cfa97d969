// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/lines.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace mxfeed::mime {
namespace {

// Lines with their ends, "|" between them; from pieces of that size.
std::string cut(const std::string& text, std::size_t piece) {
  LineCutter cutter;
  std::string out;
  const auto give = [&](const Line& line) {
    out.append(line.text).append(line.end).append("|");
  };
  for (std::size_t at = 0; at < text.size(); at += piece) {
    std::string_view input = std::string_view(text).substr(at, piece);
    while (const auto line = cutter.next(input)) give(*line);
  }
  if (const auto line = cutter.rest()) give(*line);
  return out;
}

TEST_CASE("lines end at CR LF, LF and CR, wherever they are and however they come") {
  // Where the search goes on to the next piece, and where a line is too long.
  for (const std::size_t length :
       {0u, 1u, 126u, 127u, 128u, 129u, 255u, 256u, 257u, 8190u, 8191u, 8192u}) {
    for (const std::string end : {"\r\n", "\n", "\r"}) {
      for (const std::size_t piece : {1u, 127u, 128u, 129u, 100'000u}) {
        CAPTURE(length, end, piece);
        const std::string line(length, 'x');
        CHECK(cut(line + end + "next", piece) == line + end + "|next|");
        CHECK(cut(line + end, piece) == line + end + "|");
      }
    }
  }
}

TEST_CASE("a line that is too long comes in parts") {
  const std::string full(LineCutter::kMaxLine, 'x');
  for (const std::size_t piece : {1u, 4096u, 100'000u}) {
    CAPTURE(piece);
    CHECK(cut(full + "y\r\nnext", piece) == full + "|y\r\n|next|");
  }
}

}  // namespace
}  // namespace mxfeed::mime
