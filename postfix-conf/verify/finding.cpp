// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/verify/finding.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mxfeed {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return "ok";
    case Outcome::note:
      return "note";
    case Outcome::failed:
      return "failed";
    case Outcome::unknown:
      return "unknown";
  }
  return "";
}

void Findings::ok(std::string_view check, std::string_view subject, std::string cause) {
  all_.push_back(
      {Outcome::ok, std::string(check), std::string(subject), std::move(cause), ""});
}

void Findings::note(std::string_view check, std::string_view subject, std::string cause,
                    std::string advice) {
  all_.push_back({Outcome::note, std::string(check), std::string(subject),
                  std::move(cause), std::move(advice)});
}

void Findings::failed(std::string_view check, std::string_view subject, std::string cause,
                      std::string advice) {
  all_.push_back({Outcome::failed, std::string(check), std::string(subject),
                  std::move(cause), std::move(advice)});
}

void Findings::unknown(std::string_view check, std::string_view subject,
                       std::string cause) {
  all_.push_back({Outcome::unknown, std::string(check), std::string(subject),
                  std::move(cause), "run it again later"});
}

void Findings::append(std::vector<Finding> more) {
  all_.insert(all_.end(), std::make_move_iterator(more.begin()),
              std::make_move_iterator(more.end()));
}

bool Findings::has(Outcome outcome) const {
  return std::any_of(all_.begin(), all_.end(),
                     [&](const Finding& one) { return one.outcome == outcome; });
}

}  // namespace mxfeed
