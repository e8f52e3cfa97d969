// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which removed domains still have mail in the queue, or may still get some.

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
  // Everything that was kept may still have mail.
  StillWaiting() = default;
  // Of what `previous`, the generation `current`, kept: what was relayed within
  // kTransfer, and what is in the queue of the Postfix in `postfix_config`.  Everything,
  // with a note on standard error, if there is none or it does not answer.
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

// How long a message may take to reach the queue after its recipient was accepted: before
// the domain was removed, or by an smtpd(8) that had not yet noticed.
constexpr std::chrono::hours kTransfer{1};

}  // namespace mxfeed
