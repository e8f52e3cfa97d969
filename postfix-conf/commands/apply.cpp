// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/command/exit_code.h"
#include "common/command/listing.h"
#include "postfix-conf/commands/apply_report.h"
#include "postfix-conf/commands/dns_check.h"
#include "postfix-conf/commands/health.h"
#include "postfix-conf/commands/in_force.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/commands/picked_host.h"
#include "postfix-conf/commands/plan_report.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/commands/proof.h"
#include "postfix-conf/commands/reload.h"
#include "postfix-conf/commands/waiting.h"
#include "postfix-conf/config/config.h"
#include "postfix-conf/generate/compile.h"
#include "postfix-conf/generate/differences.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/generate/maps.h"
#include "postfix-conf/generate/overlay.h"
#include "postfix-conf/generate/removals.h"
#include "postfix-conf/postfix/attach/survey.h"
#include "postfix-conf/postfix/postfix.h"
#include "postfix-conf/postfix/site_reading.h"

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

// Writes what is wanted as a generation and puts it in force.
class Installation {
 public:
  Installation(const ApplyOptions& options, Generations& generations, InForce in_force,
               ApplyReport& report)
      : options_(options),
        generations_(generations),
        in_force_(std::move(in_force)),
        report_(report) {}

  enum class Reason {
    apply,
    rollback,
    fit,  // attach, which checks Postfix itself
  };

  int install(Wanted wanted, GenerationMeta meta, Reason reason) {
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
    const Generated next = complete(std::move(wanted), previous, waits(), system_time());
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

 private:
  // Whether the site's own maps have a domain that would be relayed from now on.  A
  // damaged generation must be replaced in any case: then that is reported at the end.
  bool has_conflicts(const Generated& next) const {
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

  StillWaiting waits() const {
    const auto& [current, postfix, hosted, meta, is_damaged, is_outdated] = in_force_;
    // After an apply that was interrupted, Postfix may still accept mail for domains that
    // it removed.
    if (is_damaged || current != postfix) return StillWaiting();
    return StillWaiting(
        generations_, hosted, current.value_or(0),
        options_.use_postfix ? std::optional(options_.postfix_config) : std::nullopt);
  }

  int put_in_force(const Generated& next, std::uint64_t number, Reason reason) {
    const auto current = in_force_.current;
    const auto postfix = in_force_.postfix;
    ensure_overlay(options_.state);
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
  int go_back(const Generated& next, std::uint64_t number) {
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
  void reload_patterns(const Generated& next) const {
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

  const ApplyOptions& options_;
  Generations& generations_;
  const InForce in_force_;
  ApplyReport& report_;
};

// Does the work while no other process changes the state, and ends the report.
enum class Ends { with_object, silently };
int locked(const ApplyOptions& options,
           const std::function<int(Generations&, ApplyReport&)>& work,
           Ends ends = Ends::with_object) {
  Generations generations(options.state);
  std::optional<Fd> lock;
  if (!options.dry_run) {
    lock = generations.lock();
    if (!lock) {
      complain(fmt::format("{}: another mxfeed is making changes; try again later",
                           options.state.string()));
      return static_cast<int>(ExitCode::try_later);
    }
  }
  ApplyReport report(options.json);
  const int status = work(generations, report);
  if (ends == Ends::with_object) report.finish(status);
  return status;
}

// The generation to go back to if none is named: the one in force before, or, if that is
// damaged, the newest undamaged one before it.  0 if there is none.
std::uint64_t one_before(const Generations& generations, const InForce& in_force) {
  std::uint64_t before = in_force.current.value_or(0);
  try {
    const auto now = generations.meta(before);
    const auto origin = now.copy_of != 0 ? generations.meta(now.copy_of) : now;
    if (origin.previous == 0) return 0;
    before = origin.previous + 1;
  } catch (const Fault&) {
    if (before == 0) before = std::numeric_limits<std::uint64_t>::max();
  }
  return newest_sound(generations, before).value_or(0);
}

// What is known of the generation in force; if that is damaged, of the last one before
// it.
GenerationMeta former_meta(const Generations& generations) {
  std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  try {
    last = generations.number_of(Generations::kCurrent).value_or(last);
  } catch (const Fault&) {
    // told by read_in_force()
  }
  auto all = generations.list();
  std::erase_if(all, [&](const GenerationMeta& one) { return one.number > last; });
  return all.empty() ? GenerationMeta() : all.back();
}

// What Postfix is like; if that cannot be told, what it was like for `former`.
Site site_of(const ApplyOptions& options, const PostfixUse& use,
             const GenerationMeta& former) {
  if (options.use_postfix) {
    try {
      auto reading =
          read_site(Postfix(options.postfix_config).settings(), use, options.state);
      for (const auto& cause : reading.uncompiled) {
        complain(fmt::format("warning: mynetworks: {}", cause));
      }
      return std::move(reading.site);
    } catch (const Fault& fault) {
      complain(fmt::format("note: mynetworks of Postfix was not read: {}", fault.what()));
    }
  }
  return former.site;
}

// What the configuration asks for; nothing if it is wrong.
std::optional<Wanted> read_wanted(const ApplyOptions& options,
                                  const Generations& generations,
                                  const Generated& in_force, GenerationMeta& meta,
                                  ApplyReport& report) {
  Config config = load_config_shown(options.config);
  const auto former = former_meta(generations);
  Site site;
  if (config.errors.empty()) {
    PostfixUse use;
    use.services = config.gateway.services;
    site = site_of(options, use, former);
    if (options.use_dns) look_up_destinations(config, site, in_force);
  }
  print_problems(config);
  report.set("errors", config.errors.size());
  report.set("warnings", config.warnings.size());
  if (!config.errors.empty()) {
    complain(
        fmt::format("{}; nothing was changed", count_of(config.errors.size(), "error")));
    return std::nullopt;
  }
  meta.written = system_time();
  meta.config = config.digest;
  const auto host = pick_host(config, options.host, former.local);
  auto wanted = compile(config, host.config, options.state.string(), site);
  wanted.draft.local = host.local;
  return wanted;
}

// For the keeper, unless nothing was put in force.
void note_applied(const ApplyOptions& options, int status) {
  if (options.dry_run || status == static_cast<int>(ExitCode::wrong) ||
      status == static_cast<int>(ExitCode::try_later)) {
    return;
  }
  try {
    note_apply(options.state);
  } catch (const Fault& fault) {
    complain(fmt::format("note: {}", fault.what()));
  }
}

}  // namespace

int apply(const ApplyOptions& options) {
  const int status = locked(options, [&](Generations& generations, ApplyReport& report) {
    GenerationMeta meta;
    auto in_force = read_in_force(generations);
    auto wanted = read_wanted(options, generations, in_force.hosted, meta, report);
    if (!wanted) return 1;
    meta.unknown = in_force.meta.unknown;
    return Installation(options, generations, std::move(in_force), report)
        .install(*std::move(wanted), std::move(meta), Installation::Reason::apply);
  });
  note_applied(options, status);
  return status;
}

int fit_generation(const ApplyOptions& options, const Site& site) {
  return locked(
      options,
      [&](Generations& generations, ApplyReport& report) {
        auto in_force = read_in_force(generations);
        if (!in_force.postfix) {
          complain("no generation is in force: run mxfeed apply");
          return 1;
        }
        auto wanted = wanted_again(generations.load(*in_force.postfix));
        fit_site(wanted.draft, site, options.state.string());
        auto meta = generations.meta(*in_force.postfix);
        meta.written = system_time();
        return Installation(options, generations, std::move(in_force), report)
            .install(std::move(wanted), std::move(meta), Installation::Reason::fit);
      },
      Ends::silently);
}

int rollback(const ApplyOptions& options, std::optional<std::uint64_t> number) {
  const int status = locked(options, [&](Generations& generations, ApplyReport& report) {
    if (number && !generations.exists(*number)) {
      complain(fmt::format("no generation {}", *number));
      return 1;
    }
    auto in_force = read_in_force(generations);
    if (!in_force.current && !in_force.is_damaged) {
      complain("no generation is in force");
      return 1;
    }
    const std::uint64_t target = number ? *number : one_before(generations, in_force);
    if (target == 0 || (target == in_force.current && !in_force.is_damaged)) {
      complain(target == 0 ? "there is no earlier generation"
                           : fmt::format("generation {} is already in force", target));
      return 1;
    }
    auto wanted = wanted_again(generations.load(target));
    fit_site(wanted.draft, site_of(options, wanted.draft.use, former_meta(generations)),
             options.state.string());
    auto meta = generations.meta(target);
    meta.written = system_time();
    meta.copy_of = target;
    report.say(fmt::format("back to generation {}", target));
    report.set("back_to", target);
    return Installation(options, generations, std::move(in_force), report)
        .install(std::move(wanted), std::move(meta), Installation::Reason::rollback);
  });
  note_applied(options, status);
  return status;
}

}  // namespace mxfeed
