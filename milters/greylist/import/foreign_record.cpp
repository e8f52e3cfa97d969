// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/import/foreign_record.h"

#include <chrono>

#include "common/base/text.h"
#include "common/base/time_text.h"

namespace mxfeed::greylist {

std::optional<Time> parse_stored_time(std::string_view text) {
  constexpr std::uint64_t kLast = 95'617'584'000;  // the year 5000
  if (const auto point = text.find('.'); point != std::string_view::npos) {
    text = text.substr(0, point);
  }
  if (const auto seconds = parse_unsigned(text)) {
    if (*seconds >= kLast) return std::nullopt;
    return Time{std::chrono::seconds(*seconds)};
  }
  return parse_time(std::string(text) + 'Z');
}

std::string_view to_string(ForeignState state) {
  switch (state) {
    case ForeignState::passed:
      return "passed";
    case ForeignState::waiting:
      return "waiting";
    case ForeignState::host:
      return "host";
    case ForeignState::domain:
      return "domain";
  }
  return "?";
}

std::string_view to_string(Fate fate) {
  switch (fate) {
    case Fate::taken:
      return "taken";
    case Fate::known:
      return "known";
    case Fate::expired:
      return "expired";
    case Fate::other_domain:
      return "other_domain";
    case Fate::altered:
      return "altered";
    case Fate::no_recipient:
      return "no_recipient";
    case Fate::hashed:
      return "hashed";
    case Fate::malformed:
      return "malformed";
  }
  return "?";
}

}  // namespace mxfeed::greylist
