// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/lists/list_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "common/base/log.h"
#include "common/base/metrics.h"

namespace mxfeed::spam {
namespace {

using std::chrono::steady_clock;

void count(std::string_view result) {
  counter("mxfeed_spam_lists_total", fmt::format(R"(result="{}")", result)).add();
}

void warn(const std::string& zone, const std::string& fault) {
  log(Severity::warning,
      LogFields().add("event", "list").add("zone", zone).add("fault", fault));
}

// RFC 5782, 5: no list has this address, and none of domains has this one; a list that
// does has everything.
constexpr std::string_view kNeverListed[] = {"1.0.0.127", "invalid"};

}  // namespace

bool is_refusal(const dns::Answer& answer, std::string_view zone) {
  return std::ranges::any_of(answer.all<IpAddress>(), [&](const IpAddress& address) {
    const std::string text = address.str();
    // Spamhaus and others; URI lists; DNSWL.
    return text.starts_with("127.255.255.") || text == "127.0.0.1" ||
           (text == "127.0.0.255" && zone.find("dnswl") != std::string_view::npos);
  });
}

ListDesk::Ask asking(dns::Resolver& resolver) {
  return [&resolver](const dns::Question& question, ListDesk::Instant deadline) {
    return resolver.ask_async(question, deadline);
  };
}

std::string_view to_string(ListSays says) {
  switch (says) {
    case ListSays::listed:
      return "listed";
    case ListSays::clear:
      return "clear";
    case ListSays::refused:
      return "refused";
    case ListSays::unknown:
      return "unknown";
    case ListSays::has_all:
      return "has-all";
    case ListSays::resting:
      return "resting";
  }
  return "?";
}

bool is_usable(ListSays says) {
  return says == ListSays::listed || says == ListSays::clear;
}

struct ListDesk::Zone {
  explicit Zone(std::string_view given) : name(given) {}

  // Whether it is time to prove again that the list does not have everything; true once.
  bool takes_proof(Instant now) {
    const std::lock_guard lock(mutex);
    if (proved != Instant{} && now - proved <= kProofLasts) return false;
    proved = now;
    return true;
  }

  // What it says for a list, by its answer.  With the mutex locked.
  ListSays settle(const ScoredList& list, const dns::Answer& answer);
  // What it says of a key that no list has.  With the mutex locked.
  void see_proof(std::string_view key, const dns::Answer& answer);

  const std::string name;
  Breaker breaker{kFaults, kRest};
  std::mutex mutex;
  Instant proved{};      // when it was last asked for what no list has
  bool has_all = false;  // and had it
  Instant refused{};     // when that was last logged

 private:
  ListSays without_answer(bool is_refused);
};

ListSays ListDesk::Zone::settle(const ScoredList& list, const dns::Answer& answer) {
  if (has_all) return ListSays::has_all;
  const bool is_refused = is_refusal(answer, name);
  if (answer.is_temporary() || is_refused) return without_answer(is_refused);
  breaker.succeeded();
  const bool is_listed = std::ranges::any_of(
      answer.all<IpAddress>(),
      [&list](const IpAddress& address) { return list.counts(address); });
  return is_listed ? ListSays::listed : ListSays::clear;
}

ListSays ListDesk::Zone::without_answer(bool is_refused) {
  const auto now = steady_clock::now();
  if (breaker.failed(now)) counter("mxfeed_spam_lists_resting_total").add();
  if (!is_refused) return ListSays::unknown;
  if (refused == Instant{} || now - refused > kProofLasts) {
    refused = now;
    warn(name,
         "its operator refuses: ask through a resolver of your own, and see its terms");
  }
  return ListSays::refused;
}

void ListDesk::Zone::see_proof(std::string_view key, const dns::Answer& answer) {
  if (answer.is_temporary() || is_refusal(answer, name)) return;
  // The second question of a proof does not take back what the first has shown.
  has_all = answer.is_found() || (has_all && key != kNeverListed[0]);
  if (answer.is_found()) {
    warn(name, fmt::format("it has {}, so it has everything: not used", key));
  }
}

ListDesk::ListDesk(Ask ask) : ask_(std::move(ask)) {}

std::shared_ptr<ListDesk::Zone> ListDesk::zone(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = zones_.find(name);
  if (found != zones_.end()) return found->second;
  return zones_.emplace(std::string(name), std::make_shared<Zone>(name)).first->second;
}

struct Inquiry::Asked {
  const ScoredList* list;  // null: the question is whether the zone has everything
  std::shared_ptr<ListDesk::Zone> zone;
  std::string key;
  std::future<dns::Answer> answer;
};

Inquiry::Inquiry(ListDesk& desk, const std::vector<ScoredList>& lists)
    : desk_(desk), lists_(lists) {}

Inquiry::~Inquiry() = default;

void Inquiry::ask(ScoredList::Subject subject, const std::vector<std::string>& keys,
                  ListDesk::Instant deadline) {
  const auto now = steady_clock::now();
  if (!desk_.ask_ || keys.empty() || now >= deadline) return;
  for (const ScoredList& list : lists_) {
    if (list.subject() != subject) continue;
    const auto zone = desk_.zone(list.zone());
    if (!zone->breaker.allows(now)) {
      for (const auto& key : keys) resting_.push_back({&list, key, ListSays::resting});
      continue;
    }
    if (zone->takes_proof(now)) {
      for (const auto never : kNeverListed) send(nullptr, zone, never, deadline);
    }
    for (const auto& key : keys) send(&list, zone, key, deadline);
  }
}

void Inquiry::send(const ScoredList* list, const std::shared_ptr<ListDesk::Zone>& zone,
                   std::string_view key, ListDesk::Instant deadline) {
  const auto question =
      dns::Question::parse(fmt::format("{}.{}", key, zone->name), dns::RecordType::a);
  if (!question) return;
  asked_.push_back({list, zone, std::string(key), desk_.ask_(*question, deadline)});
}

std::vector<ListReply> Inquiry::replies(ListDesk::Instant deadline) {
  std::vector<ListReply> all = std::move(resting_);
  for (auto& asked : asked_) {
    const bool is_there = asked.answer.wait_until(deadline) == std::future_status::ready;
    const dns::Answer answer =
        is_there ? asked.answer.get() : dns::Answer::temporary(dns::Trouble::timed_out);
    ListDesk::Zone& zone = *asked.zone;
    const std::lock_guard lock(zone.mutex);
    if (asked.list == nullptr) {
      zone.see_proof(asked.key, answer);
      continue;
    }
    const ListSays says = zone.settle(*asked.list, answer);
    count(to_string(says));
    all.push_back({asked.list, std::move(asked.key), says});
  }
  asked_.clear();
  return all;
}

}  // namespace mxfeed::spam
