// SPDX-License-Identifier: GPL-2.0-or-later
//
// Of the domains that were removed, what the queue has or may still get.

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>

#include "postfix-conf/generate/generations.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {

class StillWaiting {
 public:
  // Everything that was kept.
  StillWaiting() = default;
  // Of what `previous`, the generation `current`, kept: what was relayed a short time
  // ago, and what is in the queue of the Postfix that `postfix_config` names; everything,
  // with a note on standard error, if that is not to be asked or does not answer.
  StillWaiting(const Generations& generations, const Generated& previous,
               std::uint64_t current,
               const std::optional<std::filesystem::path>& postfix_config);

  bool operator()(const RelayKey& key) const {
    return all_ || lately_.contains(key) || waiting_.contains(key);
  }

 private:
  bool all_ = true;
  std::set<RelayKey> lately_, waiting_;
};

// How long a message may take into the queue whose recipient was accepted before the
// domain was removed, or by an smtpd(8) that had not yet noticed.
constexpr std::chrono::hours kTransfer{1};

}  // namespace mxfeed
