// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lines of a message, with any line ending; for the walk of walker.h only.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mxfeed::mime {

// A line, or a piece of one that is longer than LineCutter::kMaxLine.
struct Line {
  std::string_view text;  // without its end
  // "\n", "\r\n", "\r", or "\r\r\n" if a CR ends no line; empty: the line goes on, or the
  // data ended
  std::string_view end;
  bool starts = true;  // at the start of a line
};

// Splits a complete line into text and end.
Line whole_line(std::string_view line);

// Cuts a stream of bytes into lines, which a CR alone ends only if told so; how the bytes
// arrive in chunks does not matter.
class LineCutter {
 public:
  static constexpr std::size_t kMaxLine = 8192;

  explicit LineCutter(bool cr_ends = true) : cr_ends_(cr_ends) {}

  // Takes the next line from `input`; nothing if it holds no more complete line.  The
  // line is valid until the next call and as long as the bytes of `input`.
  std::optional<Line> next(std::string_view& input);

  // The unfinished line after the last byte.
  std::optional<Line> rest();

 private:
  std::size_t find_end(std::string_view text) const;
  void drop();
  Line take(std::string_view& input, std::size_t length, std::size_t end);
  Line line(std::string_view all, std::size_t end);

  const bool cr_ends_;
  std::string held_;    // the start of a line whose end has not come
  bool given_ = false;  // the last line was given out of held_
  bool starts_ = true;
};

}  // namespace mxfeed::mime
