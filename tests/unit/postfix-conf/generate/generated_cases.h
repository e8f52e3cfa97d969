// SPDX-License-Identifier: GPL-2.0-or-later
//
// Small results of the generator, for the tests of what follows from them.

#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "postfix-conf/generate/compile.h"

namespace mxfeed {

inline Hosted hosted(std::string name, Row own = Row::active, Row below = Row::none) {
  Hosted one;
  one.name = std::move(name);
  one.own = own;
  one.below = below;
  one.route = "[192.0.2.7]:25";
  return one;
}

inline Generated generated(std::vector<Hosted> all) {
  Generated made;
  made.hosted = std::move(all);
  made.policies.resize(1);
  return made;
}

inline constexpr auto kActive = Row::active;
inline constexpr auto kKept = Row::kept;
inline constexpr auto kRefused = Row::refused;

inline const Waits kNothingWaits = [](const RelayKey&) { return false; };
inline const Time kNow{std::chrono::seconds(1'800'000'000)};

}  // namespace mxfeed
