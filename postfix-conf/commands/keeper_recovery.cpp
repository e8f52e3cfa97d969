// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/keeper_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/mail/address.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/generate/overlay.h"
#include "postfix-conf/queue/spool.h"
#include "postfix-conf/queue/stops.h"

namespace mxfeed {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kMostProbes = 200;
constexpr std::size_t kProbesAtOnce = 16;
// Of a server that answers, though mail waits for it.
constexpr std::chrono::minutes kBetweenProbes{15};
// Of a server for which nothing waits, and how many in one run.
constexpr std::chrono::hours kBetweenMeetings{24};
constexpr std::size_t kMostMet = 20;
// Of the main server of a backup that takes mail anyway.
constexpr std::chrono::minutes kBetweenBackupProbes{5};
constexpr std::chrono::seconds kProbePatience{10};
// Of all questions of a run together: those after it wait for the next run.
constexpr std::chrono::seconds kDnsPatience{20};
// Postfix notices a map that was replaced within ten seconds.
constexpr std::chrono::seconds kMapNoticed{11};
constexpr std::chrono::seconds kTrialPatience{15};
// A run ends before the next one is due.
constexpr std::chrono::seconds kFlushTime{20};
constexpr unsigned kFlushRate = 50;  // messages a second

// A route without names needs none.
class NoLookup : public dns::Lookup {
 public:
  dns::Answer ask(const dns::Question&) override {
    return dns::Answer::temporary(dns::Trouble::no_server);
  }
};

// The answers of each domain's servers, in the order of the jobs.
using Answers = std::map<std::string, std::vector<ServerAnswer>>;

Answers ask_all(const std::vector<ProbeJob>& jobs) {
  std::vector<ServerAnswer> said(jobs.size());
  for (std::size_t first = 0; first < jobs.size(); first += kProbesAtOnce) {
    std::vector<std::thread> threads;
    for (auto i = first; i < std::min(first + kProbesAtOnce, jobs.size()); ++i) {
      threads.emplace_back([&, i] { said[i] = ask_server(jobs[i].question); });
    }
    for (auto& one : threads) one.join();
  }
  Answers answers;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    said[i].finding.server = jobs[i].server;
    answers[jobs[i].domain].push_back(std::move(said[i]));
  }
  return answers;
}

// The answer that explains what is told.
const ServerAnswer& telling(const std::vector<ServerAnswer>& answers,
                            const std::vector<ServerFinding>& findings,
                            const Destination& before) {
  const auto* finding = stranger_among(before, findings);
  if (finding == nullptr) finding = first_that_greets(findings);
  return finding == nullptr
             ? answers.front()
             : answers[static_cast<std::size_t>(finding - findings.data())];
}

}  // namespace

KeeperRecovery::KeeperRecovery(const std::filesystem::path& state,
                               const KeeperPostfix& site, const Generated& generated,
                               Terms& terms, const Postfix& postfix,
                               const QueueControl& control, KeeperBook& book,
                               const ProviderRoutes& provider_routes, Time now)
    : state_(state),
      site_(site),
      generated_(generated),
      terms_(terms),
      postfix_(postfix),
      control_(control),
      book_(book),
      provider_routes_(provider_routes),
      now_(now),
      all_(book.destinations()) {}

std::set<std::string, std::less<>> KeeperRecovery::trials() const {
  std::set<std::string, std::less<>> ids;
  for (const auto& [domain, one] : all_) ids.insert(one.trial.begin(), one.trial.end());
  return ids;
}

void KeeperRecovery::run(const Backlogs& backlogs, KeeperNews& news) {
  // Without the table, nothing can be stopped.
  if (!site_.has_overlay) return;
  forget_removed();
  judge_trials(
      backlogs, [&](const std::string& id) { return backlogs.moving().contains(id); },
      news);
  // What was refused is tried again: the customer may have mended it.
  std::vector<std::string> refused;
  for (const auto& id : trials()) {
    if (backlogs.refused().contains(id)) refused.push_back(id);
  }
  attempt(refused);
  probe(backlogs, news);
  write_routes();
  begin_trials(news);
  watch_trials(news);
  write_routes();
  flush();
}

// Mail of a domain that is no longer active goes where its row says.
void KeeperRecovery::forget_removed() {
  for (auto& [domain, one] : all_) {
    const auto* const hosted = generated_.find(domain);
    if (hosted != nullptr && hosted->own == Row::active) continue;
    if (one.passage == Passage::open) continue;
    Destination forgotten;
    forgotten.identities = one.identities;
    store(domain, forgotten);
  }
}

bool KeeperRecovery::is_to_be_probed(const std::string& domain,
                                     const Backlogs& backlogs) const {
  const auto known = all_.find(domain);
  if (known == all_.end()) return backlogs.domains().contains(domain);
  const Destination& one = known->second;
  if (one.passage != Passage::open || one.failures > 0) return true;
  const auto backlog = backlogs.domains().find(domain);
  if (backlog == backlogs.domains().end()) return false;
  return backlog->second.is_unreachable || now_ < one.probed ||
         now_ - one.probed > kBetweenProbes;
}

// To know a server before it is away: some of those that were not met lately.
std::vector<std::string> KeeperRecovery::to_be_met() const {
  std::vector<std::string> domains;
  const auto& hosted = generated_.hosted;
  if (hosted.empty()) return domains;
  // Others first in each run.
  const auto minutes = std::chrono::floor<std::chrono::minutes>(now_.time_since_epoch());
  const auto start = static_cast<std::size_t>(minutes.count()) * kMostMet % hosted.size();
  for (std::size_t i = 0; i < hosted.size() && domains.size() < kMostMet; ++i) {
    const Hosted& one = hosted[(start + i) % hosted.size()];
    if (one.own != Row::active || one.service == Service::mailbox) continue;
    if (!has_been_probed(one.name, kBetweenMeetings)) domains.push_back(one.name);
  }
  return domains;
}

bool KeeperRecovery::has_been_probed(const std::string& domain,
                                     std::chrono::seconds within) const {
  const auto known = all_.find(domain);
  return known != all_.end() && now_ - known->second.probed <= within;
}

void KeeperRecovery::probe(const Backlogs& backlogs, KeeperNews& news) {
  std::set<std::string> wanted;
  for (const auto& [domain, one] : all_) {
    if (is_to_be_probed(domain, backlogs)) wanted.insert(domain);
  }
  for (const auto& [domain, backlog] : backlogs.domains()) {
    if (is_to_be_probed(domain, backlogs)) wanted.insert(domain);
  }
  for (const auto& hosted : generated_.hosted) {
    if (is_active_backup(hosted) &&
        (hosted.while_up == WhileUp::defer ||
         !has_been_probed(hosted.name, kBetweenBackupProbes))) {
      wanted.insert(hosted.name);
    }
  }
  for (auto& domain : to_be_met()) wanted.insert(std::move(domain));
  for (const auto& [domain, answers] : ask_all(jobs_for(wanted, backlogs))) {
    hear(domain, answers, backlogs.domains().contains(domain), news);
  }
}

std::vector<RouteServer> KeeperRecovery::servers_of(const Hosted& hosted) {
  if (has_names(hosted.route) && !resolver_) {
    resolver_.emplace(dns::ResolverSettings{});
    dns_end_ = Steady::now() + kDnsPatience;
    limits_ = {gateway_addresses(generated_), generated_.use.allow_private};
  }
  NoLookup none;
  if (!resolver_) return route_servers(hosted.route, limits_, none);
  auto lookup = resolver_->by(dns_end_);
  return route_servers(hosted.route, limits_, lookup);
}

std::vector<ProbeJob> KeeperRecovery::jobs_for(const std::set<std::string>& wanted,
                                               const Backlogs& backlogs) {
  // Those that were not probed for the longest time come first.
  std::vector<std::pair<Time, std::string>> order;
  for (const auto& domain : wanted) {
    const auto known = all_.find(domain);
    order.emplace_back(known == all_.end() ? Time() : known->second.probed, domain);
  }
  std::sort(order.begin(), order.end());
  std::vector<ProbeJob> jobs;
  for (const auto& [probed, domain] : order) {
    if (jobs.size() >= kMostProbes) break;
    const auto* const hosted = generated_.find(domain);
    if (hosted == nullptr || hosted->own != Row::active) continue;
    std::vector<std::string> recipients;
    // Before mail is let go only: some servers count such probes against us.
    const auto known = all_.find(domain);
    if (known != all_.end() && known->second.passage == Passage::closed) {
      const auto backlog = backlogs.domains().find(domain);
      recipients = backlog == backlogs.domains().end()
                       ? std::vector<std::string>{"postmaster@" + domain}
                       : backlog->second.recipients;
    }
    for (auto& one : servers_of(*hosted)) {
      jobs.push_back({domain,
                      std::move(one.name),
                      {{one.address, one.port, std::nullopt},
                       site_.host,
                       recipients,
                       kProbePatience}});
    }
  }
  return jobs;
}

void KeeperRecovery::hear(const std::string& domain,
                          const std::vector<ServerAnswer>& answers, bool mail_waits,
                          KeeperNews& news) {
  std::vector<ServerFinding> findings;
  for (const auto& answer : answers) findings.push_back(answer.finding);
  greets_[domain] = first_that_greets(findings) != nullptr;
  const Destination before = all_[domain];
  if (first_that_greets(findings) == nullptr && before.passage == Passage::open &&
      !mail_waits) {
    // No mail waits for it, so it may be away.
    Destination absent = before;
    absent.failures = 0;
    absent.probed = now_;
    store(domain, std::move(absent));
    return;
  }
  const auto next = after_probe(before, findings, now_);
  store(domain, next.destination);
  tell(domain, next.event, telling(answers, findings, before), news);
}

void KeeperRecovery::attempt(const std::vector<std::string>& ids) {
  if (asked_.empty()) asked_since_ = system_time();
  for (const auto& id : ids) {
    if (control_.attempt(id)) asked_.insert(id);
  }
}

void KeeperRecovery::judge_trials(const Backlogs& backlogs, const IsPending& is_pending,
                                  KeeperNews& news) {
  for (auto& [domain, one] : all_) {
    if (one.passage != Passage::trial || one.trial.empty()) continue;
    if (std::any_of(one.trial.begin(), one.trial.end(), is_pending)) continue;
    std::size_t refused = 0;
    std::size_t gone = 0;
    for (const auto& id : one.trial) {
      if (backlogs.refused().contains(id)) ++refused;
      if (!backlogs.waiting().contains(id)) ++gone;
    }
    if (refused + gone == 0) continue;
    const auto next = after_trial(one, refused + gone, refused, now_);
    store(domain, next.destination);
    tell(domain, next.event, {}, news);
  }
}

void KeeperRecovery::begin_trials(KeeperNews& news) {
  const bool is_wanted = std::any_of(all_.begin(), all_.end(), [](const auto& one) {
    return one.second.passage == Passage::trial && one.second.trial.empty();
  });
  if (!is_wanted) return;
  settle();
  Backlogs backlogs(terms_, {});
  postfix_.read_queue([&](const QueuedMessage& message) { backlogs.add(message); });
  for (auto& [domain, one] : all_) {
    if (one.passage != Passage::trial || !one.trial.empty()) continue;
    const auto backlog = backlogs.domains().find(domain);
    if (backlog == backlogs.domains().end()) {
      // Nothing to be tried with.
      const auto next = after_trial(one, 0, 0, now_);
      store(domain, next.destination);
      tell(domain, next.event, {}, news);
      continue;
    }
    // All on their way: the next run looks again.
    if (backlog->second.ids.empty()) continue;
    Destination begun = one;
    begun.trial = backlog->second.ids;
    store(domain, begun);
    attempt(begun.trial);
  }
}

// Gives the trials a moment, so that the mail of a server that is back does not have to
// wait for the next run.
void KeeperRecovery::watch_trials(KeeperNews& news) {
  const auto end = Steady::now() + kTrialPatience;
  while (!asked_.empty()) {
    const Spool spool(site_.queue_directory);
    Backlogs backlogs(terms_, trials());
    postfix_.read_queue([&](const QueuedMessage& message) { backlogs.add(message); });
    // Postfix does what it was asked for a little later.
    const auto is_pending = [&](const std::string& id) {
      if (!backlogs.waiting().contains(id) || !asked_.contains(id)) return false;
      const auto last = spool.attempts(id).last;
      return backlogs.moving().contains(id) || !last || *last < asked_since_;
    };
    const bool is_over = std::none_of(asked_.begin(), asked_.end(), is_pending);
    judge_trials(backlogs, is_pending, news);
    if (is_over || Steady::now() > end) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

void KeeperRecovery::flush() {
  std::map<std::string_view, Time> since;
  for (const auto& [domain, one] : all_) {
    if (one.flushing_since != Time()) since.emplace(domain, one.flushing_since);
  }
  if (since.empty()) return;
  settle();
  constexpr auto kMost = kFlushRate * static_cast<std::size_t>(kFlushTime.count());
  const Spool spool(site_.queue_directory);
  std::vector<std::string> ids;
  std::set<std::string, std::less<>> found_for;
  postfix_.read_queue([&](const QueuedMessage& message) {
    if (!message.is_deferred()) return;
    const auto last = spool.attempts(message.id).last;
    for (const auto& recipient : message.recipients) {
      const auto found = since.find(terms_.of(recipient.address).domain);
      if (found == since.end()) continue;
      // What was tried since is Postfix's again, unless it still got the old route.
      const bool is_old = recipient.delay_reason && is_stopped(*recipient.delay_reason);
      if (last && *last > found->second && !is_old) continue;
      found_for.insert(std::string(found->first));
      if (ids.size() < kMost) ids.push_back(message.id);
      return;
    }
  });
  const auto start = Steady::now();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    control_.attempt(ids[i]);
    if ((i + 1) % kFlushRate == 0) {
      std::this_thread::sleep_until(start + std::chrono::seconds((i + 1) / kFlushRate));
    }
  }
  for (const auto& [domain, time] : since) {
    // Others may be on their way back by the old route: the next run looks again.
    if (found_for.contains(domain)) continue;
    Destination done = all_[std::string(domain)];
    done.flushing_since = Time();
    store(std::string(domain), std::move(done));
  }
}

void KeeperRecovery::write_routes() {
  const auto lines = overlay_lines(all_, provider_routes_, generated_);
  if (write_overlay(overlay_path(state_), lines)) is_settled_ = false;
}

void KeeperRecovery::settle() {
  if (is_settled_) return;
  std::this_thread::sleep_for(kMapNoticed);
  is_settled_ = true;
}

void KeeperRecovery::store(const std::string& domain, Destination destination) {
  book_.set_destination(domain, destination);
  all_[domain] = std::move(destination);
}

void KeeperRecovery::tell(const std::string& domain, Event event,
                          const ServerAnswer& answer, KeeperNews& news) const {
  const auto alert = [&](std::string text) {
    news.alert({std::string(to_string(event)), domain, std::move(text)});
  };
  switch (event) {
    case Event::none:
      return;
    case Event::went_down:
      return alert(
          fmt::format("its server does not answer: mail waits ({})", answer.said));
    case Event::flaps:
      return alert(fmt::format("its server comes and goes ({})", answer.said));
    case Event::stranger:
      return alert(fmt::format(
          "another server answers at its address: mail waits (\"{}\", certificate {})",
          escape_untrusted(answer.finding.identity.name),
          answer.finding.identity.certificate.empty()
              ? "none"
              : answer.finding.identity.certificate));
    case Event::refuses:
      return alert(fmt::format("its server is back but refuses mail: mail waits ({})",
                               answer.said));
    case Event::returned:
      return alert("its server is back: some messages are tried");
    case Event::recovered:
      return alert("its server takes mail again: what waits is delivered");
  }
}

}  // namespace mxfeed
