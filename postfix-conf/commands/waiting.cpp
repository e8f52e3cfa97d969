// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/waiting.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "postfix-conf/generate/removals.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
namespace {

// Which of the keys were relayed within kTransfer, by the generation `current` or one
// that was in force before it.  All, if it cannot be told.
std::set<RelayKey> relayed_lately(const Generations& generations, std::uint64_t current,
                                  const std::vector<RelayKey>& keys) {
  std::set<RelayKey> found;
  const Time since = system_time() - kTransfer;
  try {
    for (auto number = current; number != 0 && found.size() < keys.size();) {
      const Generated then = generations.load(number);
      for (const auto& key : keys) {
        if (relays(then, key)) found.insert(key);
      }
      const auto meta = generations.meta(number);
      if (meta.written <= since) break;  // in force when that time began
      number = meta.previous;
    }
  } catch (const Fault&) {
    found.insert(keys.begin(), keys.end());
  }
  return found;
}

}  // namespace

StillWaiting::StillWaiting(const Generations& generations, const Generated& previous,
                           std::uint64_t current,
                           const std::optional<std::filesystem::path>& postfix_config)
    : all_(false) {
  const auto keys = kept_keys(previous);
  if (keys.empty()) return;
  lately_ = relayed_lately(generations, current, keys);
  if (lately_.size() == keys.size()) return;
  std::string cause = "--no-postfix";
  std::optional<std::set<RelayKey>> waiting;
  if (postfix_config) {
    waiting = Postfix(*postfix_config)
                  .waiting(std::set<RelayKey>(keys.begin(), keys.end()), cause);
  }
  if (waiting) {
    waiting_ = *std::move(waiting);
  } else {
    all_ = true;
    fmt::print(
        stderr,
        "note: removed domains are kept, since the queue was not looked into: {}\n",
        cause);
  }
}

}  // namespace mxfeed
