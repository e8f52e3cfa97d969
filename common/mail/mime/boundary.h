// SPDX-License-Identifier: GPL-2.0-or-later
//
// Every boundary that a mail program may read out of a Content-Type field; for the walk
// of walker.h only.  Pure.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mxfeed::mime {

// Collects boundaries, each once, without the blanks at their end (RFC 2046, 5.1.1).
class Boundaries {
 public:
  static constexpr std::size_t kMost = 24;

  void add(std::string_view boundary);
  // The boundaries of a malformed parameter: a quote is missing, single or within, blanks
  // or NULs stand in it, an escape or an encoded word is decoded or not.
  // `field` is unfolded.
  void add_variants(std::string_view field);

  bool too_many() const { return too_many_; }
  std::vector<std::string> take() { return std::move(boundaries_); }

 private:
  void add_variant(std::string_view boundary);
  void add_raw(std::string_view value);

  std::vector<std::string> boundaries_;
  bool too_many_ = false;
};

}  // namespace mxfeed::mime
