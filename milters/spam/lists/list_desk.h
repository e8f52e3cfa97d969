// SPDX-License-Identifier: GPL-2.0-or-later
//
// Asks DNS lists about a message while it comes in.
//
//   Inquiry inquiry(desk, lists);
//   inquiry.ask(ScoredList::Subject::client, {"7.2.0.192"}, deadline);
//   ...
//   for (const ListReply& one : inquiry.replies(deadline)) ...
//
// A list whose operator refuses to answer, that has no answer in time, or that has
// everything, tells nothing: no evidence, a counter, and after some times in a row a
// pause, so that no mail waits for it.
//
// Metrics: mxfeed_spam_lists_total{result=}, mxfeed_spam_lists_resting_total.

#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/net/dns.h"
#include "common/net/resolver.h"
#include "common/policy/scored_list.h"
#include "common/store/breaker.h"

namespace mxfeed::spam {

// Whether the answer is not about what was asked: the operator refuses, because of too
// many questions or because they come through a public resolver.
bool is_refusal(const dns::Answer& answer, std::string_view zone);

// Thread-safe.
class ListDesk {
 public:
  static constexpr unsigned kFaults = 20;
  static constexpr auto kRest = std::chrono::seconds(60);
  // How long the proof that a list does not have everything counts.
  static constexpr auto kProofLasts = std::chrono::hours(1);

  using Instant = std::chrono::steady_clock::time_point;
  // Returns at once; the answer comes by the deadline, or soon after.
  using Ask = std::function<std::future<dns::Answer>(const dns::Question&, Instant)>;

  // Without `ask` nothing is on a list.
  explicit ListDesk(Ask ask);

 private:
  friend class Inquiry;
  struct Zone;

  std::shared_ptr<Zone> zone(std::string_view name);

  const Ask ask_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Zone>, std::less<>> zones_;
};

// By a resolver, which must outlive the desk.
ListDesk::Ask asking(dns::Resolver& resolver);

enum class ListSays {
  listed,
  clear,    // it does not have the key, or its answer does not count
  refused,  // its operator refuses to answer
  unknown,  // no answer in time
  has_all,  // it has everything, so what it says means nothing
  resting,  // it was not asked: some times in a row it had no usable answer
};
// "listed", "has-all".
std::string_view to_string(ListSays says);
// Whether it tells something of the key.
bool is_usable(ListSays says);

// What a list says of one key.
struct ListReply {
  const ScoredList* list;
  std::string key;  // what was asked for, without the zone
  ListSays says;
};

// What is asked about one message.  One thread at a time; what it was given outlives it.
class Inquiry {
 public:
  Inquiry(ListDesk& desk, const std::vector<ScoredList>& lists);
  ~Inquiry();

  // Asks all lists of that kind for the keys and returns at once.
  void ask(ScoredList::Subject subject, const std::vector<std::string>& keys,
           ListDesk::Instant deadline);
  // Waits for the answers until the deadline; one for each list and key.  Once.
  std::vector<ListReply> replies(ListDesk::Instant deadline);

 private:
  struct Asked;
  void send(const ScoredList* list, const std::shared_ptr<ListDesk::Zone>& zone,
            std::string_view key, ListDesk::Instant deadline);

  ListDesk& desk_;
  const std::vector<ScoredList>& lists_;
  std::vector<Asked> asked_;
  std::vector<ListReply> resting_;
};

}  // namespace mxfeed::spam
