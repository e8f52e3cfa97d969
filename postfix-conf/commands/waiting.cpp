// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/waiting.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/generate/removals.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
namespace {

// The keys that were relayed within kTransfer, by the generation `current` or one that
// was in force before it.  All of them if that is not known.
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
      if (meta.written <= since) break;  // it was in force when that time began
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
  const auto keep_all = [this](std::string_view cause) {
    all_ = true;
    complain(fmt::format(
        "note: removed domains are kept, since the queue was not checked: {}", cause));
  };
  if (!postfix_config) {
    keep_all("--no-postfix");
    return;
  }
  try {
    waiting_ = Postfix(*postfix_config).waiting({keys.begin(), keys.end()});
  } catch (const Fault& fault) {
    keep_all(fault.what());
  }
}

}  // namespace mxfeed
