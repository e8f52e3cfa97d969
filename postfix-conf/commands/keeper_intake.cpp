// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/keeper_intake.h"

#include <fmt/format.h>

#include <set>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/policy/answering_servers.h"
#include "postfix-conf/generate/overlay.h"
#include "postfix-conf/queue/stops.h"

namespace mxfeed {
namespace {

void log_stop(const std::string& domain, std::string_view what) {
  log(Severity::notice, LogFields().add("keeper", what).add("domain", domain));
}

}  // namespace

void KeeperIntake::add(const QueuedMessage& message) {
  // It waits for the operator, and whoever sends spam could fill it.
  if (message.is_held()) return;
  std::set<std::string_view> counted;
  for (const auto& recipient : message.recipients) {
    const std::string& domain = terms_.of(recipient.address).domain;
    if (!domain.empty() && counted.insert(domain).second) {
      queued_[domain] += message.size;
    }
  }
}

void KeeperIntake::tell_spam(const std::map<std::string, bool>& answers) const {
  const auto path = answering_servers_path(state_);
  const auto before = parse_answering_servers(read_file(path).value_or(""));
  DomainNames answering;
  for (const auto& hosted : generated_.hosted) {
    const auto found = answers.find(hosted.name);
    if (takes_mail_of_main(
            hosted, found == answers.end() ? std::nullopt : std::optional(found->second),
            before.contains(hosted.name))) {
      answering.insert(hosted.name);
    }
  }
  write_file(path, render_answering_servers(answering));
}

void KeeperIntake::run(const std::map<std::string, bool>& answers,
                       KeeperNews& news) const {
  const auto path = intake_overlay_path(state_);
  const auto before = parse_stops(generated_, read_file(path).value_or(""));
  Stops stops;
  for (const auto& hosted : generated_.hosted) {
    DomainLoad load;
    if (const auto found = queued_.find(hosted.name); found != queued_.end()) {
      load.queued = found->second;
    }
    if (const auto found = answers.find(hosted.name); found != answers.end()) {
      load.answers = found->second;
    }
    const auto known = before.find(hosted.name);
    const auto was = known == before.end() ? std::nullopt : std::optional(known->second);
    const auto stop = stop_of(hosted, load, was);
    if (stop) stops.emplace(hosted.name, *stop);
    if (stop == Stop::full) {
      news.alert(
          {"quota", hosted.name,
           fmt::format("{} bytes of mail wait, its quota is {}: new mail is deferred",
                       load.queued, hosted.queue_quota)});
    }
    if (stop == was) continue;
    log_stop(hosted.name, !stop                 ? "takes mail again"
                          : *stop == Stop::full ? "queue is full"
                                                : "main server answers");
  }
  write_overlay(path, lines_of(generated_, stops));
}

}  // namespace mxfeed
