// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/block_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/base/metrics.h"

namespace mxfeed::greylist {
namespace {

void count(std::string_view result) {
  counter("mxfeed_greylist_blocklists_total", fmt::format(R"(result="{}")", result))
      .add();
}

bool has(const dns::Answer& answer, const BlockList& list) {
  return std::ranges::any_of(answer.all<IpAddress>(), [&](const IpAddress& address) {
    return list.counts(address);
  });
}

}  // namespace

Breaker& BlockLists::breaker_of(std::string_view zone) {
  const std::lock_guard lock(mutex_);
  const auto found = breakers_.find(zone);
  if (found != breakers_.end()) return found->second;
  return breakers_
      .emplace(std::piecewise_construct, std::forward_as_tuple(zone),
               std::forward_as_tuple(kTimeouts, kRest))
      .first->second;
}

std::vector<BlockLists::Asked> BlockLists::ask(const IpAddress& client,
                                               const std::vector<BlockList>& lists,
                                               Instant deadline) {
  std::vector<Asked> asked;
  const Instant now = std::chrono::steady_clock::now();
  if (!ask_ || now >= deadline) return asked;
  for (const BlockList& list : lists) {
    Breaker& breaker = breaker_of(list.zone());
    const auto question = dns::Question::parse(
        dns::list_key(client).append(".").append(list.zone()), dns::RecordType::a);
    if (!question || !breaker.allows(now)) continue;
    asked.push_back({list, breaker, ask_(*question, deadline)});
  }
  return asked;
}

std::string BlockLists::find(std::vector<Asked> asked, Instant deadline) {
  std::string found;
  for (auto& [list, breaker, answer] : asked) {
    // The others are asked for the cache only.
    if (!found.empty()) break;
    const bool is_there = answer.wait_until(deadline) == std::future_status::ready;
    const dns::Answer got =
        is_there ? answer.get() : dns::Answer::temporary(dns::Trouble::timed_out);
    if (got.is_temporary()) {
      count("unknown");
      breaker.failed(std::chrono::steady_clock::now());
      continue;
    }
    breaker.succeeded();
    if (has(got, list)) found = list.zone();
    count(found.empty() ? "clear" : "listed");
  }
  return found;
}

}  // namespace mxfeed::greylist
