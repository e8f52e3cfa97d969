// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lines of a text that comes in pieces, such as a file that is read or a pipe.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace mxfeed {

class LineSplitter {
 public:
  using See = std::function<void(std::string_view line)>;

  // A line of more than `most` bytes is left out.
  explicit LineSplitter(std::size_t most) : most_(most) {}

  // Shows each line that ends in the piece, without its LF.
  void feed(std::string_view piece, const See& see);
  // Shows what is left, a last line without LF.
  void finish(const See& see);

  // How many bytes came after the last LF.
  std::uint64_t unfinished() const { return unfinished_; }
  // How many lines were left out.
  std::size_t left_out() const { return left_out_; }

 private:
  void add(std::string_view text);
  void end(const See& see);

  const std::size_t most_;
  std::string line_;
  std::uint64_t unfinished_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace mxfeed
