// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/multipart.h"

#include <bit>

namespace mxfeed::mime {
namespace {

constexpr std::size_t kMaxGuessed = 200;  // bytes of a guessed boundary

}  // namespace

std::optional<MultipartState::Match> MultipartState::match(std::string_view text) const {
  std::optional<Match> prefix;
  for (const std::string& boundary : boundaries_) {
    if (!text.starts_with(boundary)) continue;
    const std::string_view more = text.substr(boundary.size());
    if (more.empty()) return Match{false, true, boundary.size()};
    if (more == "--") return Match{true, true, boundary.size()};
    // RFC 2046, 5.1.1: it suffices that the boundary appears in its entirety.  A line of
    // dashes is not a delimiter.
    if (boundary.size() > (prefix ? prefix->length : 0) &&
        boundary.find_first_not_of('-') != std::string::npos) {
      prefix = Match{false, false, boundary.size()};
    }
  }
  return prefix;
}

bool MultipartState::guess(std::string_view text) {
  if (text.empty() || text.size() > kMaxGuessed) return false;
  may_guess_ = true;
  if (!guesses_) return false;
  boundaries_.emplace_back(text);
  guesses_ = false;
  return true;
}

void MultipartState::note_matches(std::string_view text) {
  if (boundaries_.size() < 2) return;
  for (std::size_t i = 0; i < boundaries_.size(); ++i) {
    const std::string& boundary = boundaries_[i];
    if (boundary.empty() ? text.empty() || text == "--" : text.starts_with(boundary)) {
      found_ |= 1u << i;
    }
  }
}

void MultipartState::divide(bool final, Notes& notes) {
  if (text_after_end_) notes.ambiguities.add(Ambiguity::after_end, 1);
  text_after_end_ = false;
  if (!final) {
    if (closed_) notes.add(Anomaly::part_after_end);
    divided_ = true;
  }
  closed_ = final;
}

void MultipartState::finish(Notes& notes) const {
  // A program that takes a boundary which never comes sees no parts.
  if (std::popcount(found_) > 1) {
    for (unsigned i = 0; i < boundaries_.size(); ++i) {
      if ((found_ >> i & 1u) != 0) notes.ambiguities.add(Ambiguity::boundary, first_ + i);
    }
  }
  if (!divided_) {
    notes.add(Anomaly::no_parts);
    // Programs that do not know the parameter, such as one of RFC 2231, look for another
    // boundary.
    if (may_guess_ && !boundaries_.empty() &&
        notes.reading.choice(Ambiguity::boundary) == 0) {
      notes.ambiguities.add(Ambiguity::boundary, Ambiguities::kGuessed);
    }
  } else if (!closed_) {
    notes.add(Anomaly::missing_final_boundary);
  }
}

}  // namespace mxfeed::mime
