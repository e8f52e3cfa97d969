// SPDX-License-Identifier: GPL-2.0-or-later
//
// Asks DNS block lists for a client, all at once.

#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/address.h"
#include "common/net/dns.h"
#include "common/policy/block_list.h"
#include "common/store/breaker.h"

namespace mxfeed::greylist {

// After kTimeouts failures in a row (no answer in time, or none that says whether the
// client is there) a list is left alone for kRest: no sender waits for a list that is
// away.  Thread-safe.
//
// Metric: mxfeed_greylist_blocklists_total{result=}
class BlockLists {
 public:
  static constexpr unsigned kTimeouts = 20;
  static constexpr auto kRest = std::chrono::seconds(15);

  using Instant = std::chrono::steady_clock::time_point;
  // Returns at once; the answer comes by the deadline, or soon after.
  using Ask = std::function<std::future<dns::Answer>(const dns::Question&, Instant)>;

  // Without `ask` no client is on a list.
  explicit BlockLists(Ask ask) : ask_(std::move(ask)) {}

  struct Asked {
    const BlockList& list;
    Breaker& breaker;
    std::future<dns::Answer> answer;
  };

  // Asks all of them, which outlive the answers, and returns at once.
  std::vector<Asked> ask(const IpAddress& client, const std::vector<BlockList>& lists,
                         Instant deadline);
  // Waits.  The zone of a list that has the client; empty if none is known to have it by
  // the deadline.
  static std::string find(std::vector<Asked> asked, Instant deadline);

 private:
  Breaker& breaker_of(std::string_view zone);

  const Ask ask_;
  std::mutex mutex_;
  std::map<std::string, Breaker, std::less<>> breakers_;  // by zone
};

}  // namespace mxfeed::greylist
