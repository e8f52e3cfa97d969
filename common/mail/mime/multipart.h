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

// How far a multipart has been divided.
class MultipartState {
 public:
  // Each of the boundaries divides it; without any, the first line that looks like a
  // delimiter gives one.
  explicit MultipartState(std::vector<std::string> boundaries)
      : boundaries_(std::move(boundaries)), guesses_(boundaries_.empty()) {}

  struct Match {
    bool final = false;
    bool exact = false;      // else there is text behind the boundary
    std::size_t length = 0;  // of the boundary
  };
  // The delimiter that `text`, a line without its "--" and blanks at its end, is.  An
  // exact match comes first, then the longest.
  std::optional<Match> match(std::string_view text) const;

  // Takes `text` (as above) for the boundary if none is known yet.
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
