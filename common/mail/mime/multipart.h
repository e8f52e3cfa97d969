// SPDX-License-Identifier: GPL-2.0-or-later
//
// The delimiters of a multipart (RFC 2046, 5.1.1); for the walk of walker.h only.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/mail/mime/anomalies.h"

namespace mxfeed::mime {

// The boundaries of a multipart and which delimiters were found.
class MultipartState {
 public:
  // Every boundary divides the multipart.  Without any, the first line that looks like a
  // delimiter gives one.
  explicit MultipartState(std::vector<std::string> boundaries)
      : boundaries_(std::move(boundaries)), guesses_(boundaries_.empty()) {}

  struct Match {
    bool final = false;
    bool exact = false;      // otherwise more text follows the boundary
    std::size_t length = 0;  // of the boundary
  };
  // The delimiter that `text` is: a line without its leading "--" and the blanks at its
  // end.  An exact match comes first, then the longest one.
  std::optional<Match> match(std::string_view text) const;

  // Uses `text` (as above) as the boundary if none is known yet; whether it did.
  bool guess(std::string_view text);

  // A delimiter was found.
  void divide(bool final, Anomalies& anomalies);
  // The multipart has ended.
  void finish(Anomalies& anomalies) const;

 private:
  std::vector<std::string> boundaries_;
  bool guesses_;
  bool divided_ = false;  // a delimiter was found
  bool closed_ = false;   // the last one was final
};

}  // namespace mxfeed::mime
