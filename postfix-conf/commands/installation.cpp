// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/installation.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/command/exit_code.h"
#include "common/command/listing.h"
#include "postfix-conf/commands/health.h"
#include "postfix-conf/commands/plan_report.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/commands/proof.h"
#include "postfix-conf/commands/reload.h"
#include "postfix-conf/generate/differences.h"
#include "postfix-conf/generate/maps.h"
#include "postfix-conf/generate/overlay.h"
#include "postfix-conf/generate/removals.h"
#include "postfix-conf/postfix/attach/survey.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
namespace {

constexpr std::size_t kRemovalsNamed = 20;

// Names a few removals and counts many.
void report_removals(const Removals& removals, bool name_all, ApplyReport& report) {
  const auto& names = removals.names;
  Json removed = Json::list();
  for (const auto& name : names) removed.add(name);
  report.set("no_longer_relayed", std::move(removed));
  if (!name_all && names.size() > kRemovalsNamed) {
    report.say(
        fmt::format("no longer relayed: {} domains (queued mail is kept)", names.size()));
    return;
  }
  for (const auto& name : names) {
    report.say(fmt::format("no longer relayed: {} (queued mail is kept)", name));
  }
}

}  // namespace

Installation::Installation(const ApplyOptions& options, Generations& generations,
                           InForce in_force, ApplyReport& report)
    : options_(options),
      generations_(generations),
      in_force_(std::move(in_force)),
      report_(report) {}

int Installation::install(Wanted wanted, GenerationMeta meta, Reason reason) {
  const Generated& previous = in_force_.hosted;
  const auto removals = find_removals(wanted, previous);
  report_removals(removals, options_.dry_run, report_);
  report_.set("damaged", in_force_.is_damaged);
  report_.set("dry_run", options_.dry_run);
  if (removals.are_many() && options_.allow_removals < removals.names.size()) {
    complain(fmt::format(
        "refused: {} of {} domains would be removed; nothing was changed. If this is "
        "intended, use --allow-removals {}",
        removals.names.size(), removals.of, removals.names.size()));
    return 1;
  }
  Generated next = complete(std::move(wanted), previous, waits(), system_time());
  wait_for_quarantine_route(next);
  if (reason == Reason::apply && has_conflicts(next)) return 1;
  if (options_.diff || options_.dry_run) {
    const auto lines = differences(next, previous);
    Json changes = Json::list();
    for (const auto& line : lines) {
      report_.say(line);
      changes.add(line);
    }
    report_.set("changes", std::move(changes));
    if (options_.dry_run) {
      report_.say(fmt::format("dry run: {}, nothing was written",
                              count_of(lines.size(), "change")));
      return 0;
    }
  }
  std::uint64_t number = in_force_.current.value_or(0);
  const bool is_new = number == 0 || in_force_.is_damaged || in_force_.is_outdated ||
                      !same(next, previous);
  if (is_new) {
    meta.previous = number;
    number = generations_.write(next, std::move(meta));
  }
  std::size_t relayed = 0;
  std::size_t kept = 0;
  for (const auto& one : next.hosted) {
    if (is_relayed(one.own)) ++relayed;
    if (one.own == Row::kept) ++kept;
  }
  report_.set("generation", number);
  report_.set("unchanged", !is_new);
  report_.set("relayed", relayed);
  report_.set("kept", kept);
  report_.say(fmt::format(
      "generation {}: {} relayed, {} kept until their queue is empty{}", number,
      count_of(relayed, "domain"), kept, is_new ? "" : " (unchanged)"));
  return put_in_force(next, number, reason);
}

// Processes of Postfix keep the old maps for some seconds; mail to the quarantine that
// finds no route there would be bounced.
void Installation::wait_for_quarantine_route(Generated& next) const {
  bool& is_reachable = next.gateway.quarantine.is_reachable;
  if (!is_reachable || !in_force_.postfix || in_force_.meta.has_quarantine_route) return;
  is_reachable = false;
  report_.say(
      "the quarantine is used from the next mxfeed apply on; until then such mail is put "
      "on hold, since the maps of the version before have no route to it");
}

// Whether the site's own maps have a domain that would be relayed from now on.  A
// damaged generation must be replaced in any case: then that is reported at the end.
bool Installation::has_conflicts(const Generated& next) const {
  if (!options_.use_postfix || in_force_.is_damaged) return false;
  std::vector<Conflict> conflicts;
  try {
    conflicts = conflicts_of_new_domains(Postfix(options_.postfix_config), next,
                                         in_force_.hosted);
  } catch (const Fault&) {
    return false;  // reported at the end: Postfix was not checked
  }
  if (conflicts.empty()) return false;
  report_.set("conflicts", print_conflicts(conflicts));
  complain(
      fmt::format("{}; nothing was changed", count_of(conflicts.size(), "conflict")));
  return true;
}

StillWaiting Installation::waits() const {
  const auto& [current, postfix, hosted, meta, is_damaged, is_outdated] = in_force_;
  // After an apply that was interrupted, Postfix may still accept mail for domains that
  // it removed.
  if (is_damaged || current != postfix) return StillWaiting();
  return StillWaiting(
      generations_, hosted, current.value_or(0),
      options_.use_postfix ? std::optional(options_.postfix_config) : std::nullopt);
}

int Installation::put_in_force(const Generated& next, std::uint64_t number,
                               Reason reason) {
  const auto current = in_force_.current;
  const auto postfix = in_force_.postfix;
  ensure_overlays(options_.state);
  if (current != number) generations_.point(Generations::kCurrent, number);
  if (!reload_daemons(options_.state, number, report_)) {
    // A policy that a milter cannot load must not stay in force.
    if (current && current != number && !in_force_.is_damaged) {
      generations_.point(Generations::kCurrent, *current);
      complain(fmt::format("generation {} stays in force", *current));
      reload_daemons(options_.state, *current, report_);
    }
    generations_.prune(system_time() - kTransfer);
    return 1;
  }
  if (postfix != number) {
    generations_.point(Generations::kCurrentPostfix, number);
    if (postfix) generations_.touch_maps(*postfix);
    reload_patterns(next);
  }
  ExitCode code = ExitCode::fine;
  if (options_.use_postfix && reason != Reason::fit) {
    if (!prove_look_ups(options_.state, options_.postfix_config, next, in_force_.hosted,
                        report_)) {
      if (current && postfix && postfix != number && !in_force_.is_damaged) {
        return go_back(next, number);
      }
      code = ExitCode::wrong;
    }
    code = worse(code, report_health(options_.state, options_.postfix_config, report_));
  }
  // Again, for a Postfix process that opened the old file while the link was swapped.
  if (postfix && postfix != number) generations_.touch_maps(*postfix);
  generations_.prune(system_time() - kTransfer);
  return static_cast<int>(code);
}

// Postfix first: mail that it takes must have a policy.
int Installation::go_back(const Generated& next, std::uint64_t number) {
  const auto current = *in_force_.current;
  const auto postfix = *in_force_.postfix;
  generations_.point(Generations::kCurrentPostfix, postfix);
  generations_.touch_maps(number);
  generations_.point(Generations::kCurrent, current);
  complain(fmt::format("generation {} is in force again", postfix));
  report_.set("generation", current);
  reload_daemons(options_.state, current, report_);
  reload_patterns(next);
  // Again, for a Postfix process that opened the file while the link was swapped.
  generations_.touch_maps(number);
  generations_.prune(system_time() - kTransfer);
  return static_cast<int>(ExitCode::wrong);
}

// After a change between the generation before and `next`, in either direction: a table
// of type regexp is read when a process starts.
void Installation::reload_patterns(const Generated& next) const {
  if (!options_.use_postfix ||
      relay_recipient_patterns(next) == relay_recipient_patterns(in_force_.hosted)) {
    return;
  }
  try {
    Postfix(options_.postfix_config).reload();
  } catch (const Fault& fault) {
    complain(fmt::format("note: {}", fault.what()));
  }
}

}  // namespace mxfeed
