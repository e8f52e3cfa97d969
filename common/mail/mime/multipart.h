// SPDX-License-Identifier: GPL-2.0-or-later
//
// The delimiters of a multipart (RFC 2046, 5.1.1); for the walk of walker.h only.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/mail/mime/notes.h"

namespace mxfeed::mime {

// The boundaries of a multipart and which delimiters were found.
class MultipartState {
 public:
  // Every boundary divides the multipart.  Without any, the first line that looks like a
  // delimiter gives one.  `first` is the choice of a reading for the first boundary.
  MultipartState(std::vector<std::string> boundaries, unsigned first)
      : boundaries_(std::move(boundaries)),
        first_(first),
        guesses_(boundaries_.empty()) {}

  std::size_t boundaries() const { return boundaries_.size(); }

  struct Match {
    bool final = false;
    bool exact = false;      // otherwise more text follows the boundary
    std::size_t length = 0;  // of the boundary
  };
  // The delimiter that `text` is: a line without its leading "--" and the blanks at its
  // end.  An exact match comes first, then the longest one.
  std::optional<Match> match(std::string_view text) const;
  // The line was taken for a delimiter: notes which boundaries it has.
  void note_matches(std::string_view text);

  // Uses `text` (as above) as the boundary if none is known yet; whether it did.
  bool guess(std::string_view text);

  // A line with text was found between the parts.
  void note_text() { text_after_end_ |= closed_; }
  // A delimiter was found.
  void divide(bool final, Notes& notes);
  // The multipart has ended.
  void finish(Notes& notes) const;

 private:
  std::vector<std::string> boundaries_;
  unsigned first_;
  bool guesses_;
  bool may_guess_ = false;  // a line looks like a delimiter
  // Bit n: the n-th boundary was found; only if there are several.
  std::uint32_t found_ = 0;
  bool divided_ = false;  // a delimiter was found
  bool closed_ = false;   // the last one was final
  bool text_after_end_ = false;
};

}  // namespace mxfeed::mime
