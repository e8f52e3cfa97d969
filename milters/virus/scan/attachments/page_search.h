// SPDX-License-Identifier: GPL-2.0-or-later
//
// Searches a page for a script that builds a file (HTML smuggling): the browser hands the
// file out as if it had been downloaded, and no filter on the way has seen it.
//
// Goes by the functions that such a script calls.  One that hides their names is not
// found; a page that only shows something, or talks about these functions in its text, is
// found rarely.  Bounded memory, linear time; how the page is cut makes no difference.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mxfeed::virus {

// Whether a whole page may build a file: a quicker search that excludes most.
bool may_build_file(std::string_view page);

class PageSearch {
 public:
  void add(std::string_view piece);
  bool builds_file() const;

 private:
  void search(std::string_view text);

  std::uint32_t found_ = 0;  // bits: words of the table
  std::string tail_;         // of the last piece
};

}  // namespace mxfeed::virus
