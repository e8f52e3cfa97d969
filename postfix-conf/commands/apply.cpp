// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/command/exit_code.h"
#include "common/command/listing.h"
#include "postfix-conf/commands/apply_report.h"
#include "postfix-conf/commands/dns_check.h"
#include "postfix-conf/commands/domain_source.h"
#include "postfix-conf/commands/in_force.h"
#include "postfix-conf/commands/installation.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/commands/picked_host.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/commands/recipient_commands.h"
#include "postfix-conf/config/config.h"
#include "postfix-conf/generate/compile.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/postfix/postfix.h"
#include "postfix-conf/postfix/site_reading.h"

namespace mxfeed {
namespace {

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

struct Asked {
  Wanted wanted;
  std::set<std::string> with_command;  // domains whose recipients a program prints
};

// What could not be read of a source is told at once: the rest may be put in force.
void tell_source(const DomainSource& source, ApplyReport& report) {
  for (const auto& problem : source.problems()) complain(problem);
  report.set("source", source.json());
}

// What the configuration asks for; nothing if it is wrong.
std::optional<Asked> read_wanted(const ApplyOptions& options,
                                 const Generations& generations,
                                 const Generated& in_force, DomainSource& source,
                                 GenerationMeta& meta, ApplyReport& report) {
  Config config = source.load(options.config);
  const auto former = former_meta(generations);
  Site site;
  if (config.errors.empty()) {
    PostfixUse use;
    use.services = config.gateway.services;
    site = site_of(options, use, former);
    if (options.use_dns) look_up_destinations(config, site, in_force);
    run_recipient_commands(config, {.state = options.state,
                                    .allow_removals = options.allow_recipient_removals,
                                    .keep = !options.dry_run});
  }
  tell_source(source, report);
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
  return Asked{std::move(wanted), domains_with_command(config)};
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
  int installed = static_cast<int>(ExitCode::wrong);
  const int status = locked(options, [&](Generations& generations, ApplyReport& report) {
    GenerationMeta meta;
    auto in_force = read_in_force(generations);
    DomainSource source(options.state);
    auto asked = read_wanted(options, generations, in_force.hosted, source, meta, report);
    if (!asked) return 1;
    meta.unknown = in_force.meta.unknown;
    const int done = Installation(options, generations, std::move(in_force), report)
                         .install(std::move(asked->wanted), std::move(meta),
                                  Installation::Reason::apply);
    // Not before: the keeper renews the lists of what stays in force.
    if (done == 0 && !options.dry_run) {
      prune_recipient_lists(options.state, asked->with_command);
      source.keep();
    }
    installed = done;
    return done == 0 && !source.problems().empty() ? 1 : done;
  });
  note_applied(options, installed);
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

int renew_generation(const ApplyOptions& options, const RecipientLists& lists) {
  return locked(
      options,
      [&](Generations& generations, ApplyReport& report) {
        auto in_force = read_in_force(generations);
        if (!in_force.postfix || in_force.is_damaged) {
          complain("no generation is in force: run mxfeed apply");
          return 1;
        }
        auto wanted = wanted_again(generations.load(*in_force.postfix));
        for (auto& [domain, list] : wanted.draft.recipients) {
          if (const auto found = lists.find(domain); found != lists.end()) {
            list = found->second;
          }
        }
        auto meta = generations.meta(*in_force.postfix);
        meta.written = system_time();
        // A rollback goes back behind it.
        if (meta.copy_of == 0) meta.copy_of = *in_force.postfix;
        return Installation(options, generations, std::move(in_force), report)
            .install(std::move(wanted), std::move(meta), Installation::Reason::again);
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
        .install(std::move(wanted), std::move(meta), Installation::Reason::again);
  });
  note_applied(options, status);
  return status;
}

}  // namespace mxfeed
