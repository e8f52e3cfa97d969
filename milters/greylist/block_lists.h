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

// The name to ask for (RFC 5782, 2.1 and 2.4): "7.2.0.192.zen.example".
std::string block_list_name(const IpAddress& client, std::string_view zone);

// After kTimeouts answers in a row that did not come in time, a list is left alone for
// kRest: no sender waits for a list that is away.  Thread-safe.
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

  // The zone of a list that has the client; empty if none is known to have it by the
  // deadline.
  std::string find(const IpAddress& client, const std::vector<BlockList>& lists,
                   Instant deadline);

 private:
  struct Asked;
  Breaker& breaker_of(std::string_view zone);
  std::vector<Asked> ask_all(const IpAddress& client, const std::vector<BlockList>& lists,
                             Instant deadline);

  const Ask ask_;
  std::mutex mutex_;
  std::map<std::string, Breaker, std::less<>> breakers_;  // by zone
};

}  // namespace mxfeed::greylist
