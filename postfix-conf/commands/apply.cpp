// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/apply.h"

#include <fmt/format.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/program/status.h"
#include "postfix-conf/commands/health.h"
#include "postfix-conf/config/load.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/generate/maps.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
namespace {

constexpr int kBusy = 75;  // EX_TEMPFAIL
constexpr int kReloadTimeoutMs = 15'000;
constexpr std::size_t kShownAlike = 5;
// A message whose recipient was accepted before the domain was removed, or by an smtpd(8)
// that had not yet noticed, is in the queue by then.
constexpr std::chrono::hours kTransfer{1};

void say(const std::string& line) {
  fmt::print("{}\n", line);
}
void complain(const std::string& line) {
  fmt::print(stderr, "{}\n", line);
}

std::string canonical_host_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0) return {};
  if (std::string_view(name).find('.') != std::string_view::npos) return name;
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name, nullptr, &hints, &found) != 0) return name;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  return found->ai_canonname != nullptr ? found->ai_canonname : name;
}

// The [[host]] that this is; null, with a word on it, if there is none.
const HostConfig* pick_host(const Config& config, const std::string& wanted) {
  const auto& hosts = config.gateway.hosts;
  if (hosts.empty() && wanted.empty()) return nullptr;
  const std::string name = ascii_lower(wanted.empty() ? canonical_host_name() : wanted);
  const auto found =
      std::find_if(hosts.begin(), hosts.end(),
                   [&](const HostConfig& host) { return host.name == name; });
  if (found != hosts.end()) return &*found;
  if (!wanted.empty()) {
    throw Fault("pick host", name, "no [[host]] of mxfeed.toml has this name");
  }
  complain(
      fmt::format("warning: this host, {}, is no [[host]] of mxfeed.toml: "
                  "smtp_bind_address is left alone (--host NAME picks one)",
                  escape_untrusted(name)));
  return nullptr;
}

// Which of the keys were relayed within kTransfer, by the generation `current` or one
// that was in force before it.  All, if it cannot be told.
std::set<RelayKey> relayed_lately(const Generations& generations, std::uint64_t current,
                                  const std::vector<RelayKey>& keys) {
  std::set<RelayKey> found;
  const Time since = system_time() - kTransfer;
  try {
    for (auto number = current; number != 0 && found.size() < keys.size();) {
      const Generated then = generations.load(number);
      for (const auto& key : keys) {
        if (relays(then, key)) found.insert(key);
      }
      const auto meta = generations.meta(number);
      if (meta.written <= since) break;  // in force when that time began
      number = meta.previous;
    }
  } catch (const Fault&) {
    found.insert(keys.begin(), keys.end());
  }
  return found;
}

// Of the domains that were removed, what the queue has or may still get.
class StillWaiting {
 public:
  // `previous` is the generation `current`.
  StillWaiting(const ApplyOptions& options, const Generations& generations,
               const Generated& previous, std::uint64_t current, bool all)
      : all_(all) {
    const auto keys = kept_keys(previous);
    if (all_ || keys.empty()) return;
    lately_ = relayed_lately(generations, current, keys);
    if (lately_.size() == keys.size()) return;
    std::string cause = "--no-postfix";
    std::optional<std::set<RelayKey>> waiting;
    if (options.use_postfix) {
      waiting = Postfix(options.postfix_config)
                    .waiting(std::set<RelayKey>(keys.begin(), keys.end()), cause);
    }
    if (waiting) {
      waiting_ = *std::move(waiting);
    } else {
      all_ = true;
      complain(
          fmt::format("note: removed domains are kept, since the queue was not "
                      "looked into: {}",
                      cause));
    }
  }
  bool operator()(const RelayKey& key) const {
    return all_ || lately_.contains(key) || waiting_.contains(key);
  }

 private:
  bool all_;
  std::set<RelayKey> lately_, waiting_;
};

// Whether nobody listens at a status socket: its daemon was killed, or ended just now.
bool left_behind(const Fault& fault) {
  const std::string_view text = fault.what();
  return text.ends_with(errno_text(ECONNREFUSED)) || text.ends_with(errno_text(ENOENT));
}

// Lets every daemon take the generation; says how each is.  Returns whether each milter
// that runs has it.
bool reload_daemons(const std::filesystem::path& state, std::uint64_t number) {
  bool good = true;
  for (const std::string_view name : {"greylist", "virus", "spam", "scan"}) {
    const auto socket = state / name / "status.sock";
    std::error_code error;
    if (!std::filesystem::exists(socket, error)) {
      say(fmt::format("{}: not running", name));
      continue;
    }
    std::string answer;
    try {
      answer = ask_status(socket, "reload", std::chrono::milliseconds(kReloadTimeoutMs));
    } catch (const Fault& fault) {
      if (left_behind(fault)) {
        say(fmt::format("{}: not running ({})", name, fault.what()));
      } else if (name == "scan") {
        say(fmt::format("{}: no answer ({})", name, fault.what()));
      } else {
        complain(fmt::format("{}: runs, but did not take generation {}: {}", name, number,
                             fault.what()));
        good = false;
      }
      continue;
    }
    std::string_view has;
    for (const auto line : split(answer, '\n')) {
      if (line.starts_with("generation: ")) has = trim(line.substr(12));
    }
    if (parse_unsigned(has) == number) {
      say(fmt::format("{}: generation {}", name, number));
    } else if (name == "scan") {
      // Knows no domains; may still be loading signatures.
      say(fmt::format("{}: reloading", name));
    } else {
      const auto first = std::string_view(answer).substr(0, answer.find('\n'));
      complain(fmt::format("{}: did not take generation {}: {}", name, number,
                           escape_untrusted(has.empty() ? first : has)));
      good = false;
    }
  }
  return good;
}

// The keys whose answers change; those that are gone without value.
std::vector<MapLine> changed_lines(std::vector<MapLine> now,
                                   std::vector<MapLine> before) {
  std::sort(now.begin(), now.end());
  std::sort(before.begin(), before.end());
  std::vector<MapLine> changed, gone;
  std::set_difference(now.begin(), now.end(), before.begin(), before.end(),
                      std::back_inserter(changed));
  for (auto& line : before) {
    const auto same = std::lower_bound(
        now.begin(), now.end(), line.key,
        [](const MapLine& a, const std::string& key) { return a.key < key; });
    if (same == now.end() || same->key != line.key) gone.push_back({line.key, ""});
  }
  std::move(gone.begin(), gone.end(), std::back_inserter(changed));
  return changed;
}

bool prove_look_ups(const ApplyOptions& options, const Generated& now,
                    const Generated& before) {
  const Postfix postfix(options.postfix_config);
  const auto link = options.state / Generations::kCurrentPostfix;
  const std::pair<const char*, std::vector<MapLine>> maps[] = {
      {"relay_domains",
       changed_lines(relay_domain_lines(now.hosted), relay_domain_lines(before.hosted))},
      {"transport",
       changed_lines(transport_lines(now.hosted), transport_lines(before.hosted))}};
  std::size_t proved = 0;
  bool good = true;
  for (const auto& [name, lines] : maps) {
    std::string cause;
    const auto wrong = postfix.wrong_answers(link / name, lines, cause);
    if (!wrong) {
      complain(fmt::format("note: look-ups were not proved with Postfix: {}", cause));
      return true;
    }
    for (const auto& line : *wrong) complain("postmap: " + line);
    good = good && wrong->empty();
    proved += lines.size();
  }
  if (good) say(fmt::format("postfix: {} changed look-ups proved", proved));
  return good;
}

bool same(Generated a, const Generated& b) {
  a.gateway.generation = b.gateway.generation;
  return a == b;
}

// Makes `next` what is in force, as far as it goes.
class Installation {
 public:
  Installation(const ApplyOptions& options, Generations& generations)
      : options_(options), generations_(generations) {}

  int install(Generated next, GenerationMeta meta) {
    const auto current = generations_.number_of(Generations::kCurrent);
    const auto postfix = generations_.number_of(Generations::kCurrentPostfix);
    const Generated previous = current ? generations_.load(*current) : Generated();

    const auto removals = count_removals(next, previous);
    if (removals.are_many() && options_.allow_removals < removals.count) {
      complain(fmt::format(
          "refused: {} of {} domains would be removed; nothing was changed. If that is "
          "meant: --allow-removals {}",
          removals.count, removals.of, removals.count));
      return 1;
    }
    // After an apply that did not come to its end, Postfix may still take mail for what
    // was removed then.
    keep_removed(next, previous,
                 StillWaiting(options_, generations_, previous, current.value_or(0),
                              current != postfix));
    assign_classes(next.hosted);

    const auto lines = differences(next, previous);
    if (options_.diff || options_.dry_run) {
      for (const auto& line : lines) say(line);
    }
    if (options_.dry_run) {
      say(fmt::format("dry run: {} changes, nothing was written", lines.size()));
      return 0;
    }
    std::uint64_t number = current.value_or(0);
    if (!current || !same(next, previous)) {
      meta.previous = number;
      number = generations_.write(next, meta);
    }
    const auto relayed = std::count_if(next.hosted.begin(), next.hosted.end(),
                                       [](const Hosted& h) { return h.is_relayed(); });
    const auto kept = std::count_if(next.hosted.begin(), next.hosted.end(),
                                    [](const Hosted& h) { return h.is_kept(); });
    say(
        fmt::format("generation {}: {} domains relayed, {} kept until nothing of them "
                    "waits{}",
                    number, relayed, kept, current == number ? " (unchanged)" : ""));
    return put_in_force(next, previous, number, current, postfix);
  }

 private:
  int put_in_force(const Generated& next, const Generated& previous, std::uint64_t number,
                   std::optional<std::uint64_t> current,
                   std::optional<std::uint64_t> postfix) {
    if (current != number) generations_.point(Generations::kCurrent, number);
    if (!reload_daemons(options_.state, number)) {
      // A policy that a milter does not take must not stay in force.
      if (current && current != number) {
        generations_.point(Generations::kCurrent, *current);
        complain(fmt::format("generation {} stays in force", *current));
        reload_daemons(options_.state, *current);
      }
      generations_.prune(system_time() - kTransfer);
      return 1;
    }
    if (postfix != number) {
      generations_.point(Generations::kCurrentPostfix, number);
      if (postfix) generations_.touch_maps(*postfix);
    }
    ExitCode code = ExitCode::fine;
    if (options_.use_postfix) {
      if (!prove_look_ups(options_, next, previous)) code = ExitCode::wrong;
      code = worse(code, report_health(options_.state, options_.postfix_config));
    }
    // Again, for a Postfix process that opened the old file while the link was swapped.
    if (postfix && postfix != number) generations_.touch_maps(*postfix);
    generations_.prune(system_time() - kTransfer);
    return static_cast<int>(code);
  }

  const ApplyOptions& options_;
  Generations& generations_;
};

int locked(const ApplyOptions& options, Generations& generations,
           const std::function<int()>& work) {
  if (options.dry_run) return work();
  const auto lock = generations.lock();
  if (lock) return work();
  complain(fmt::format("{}: another mxfeed is changing it; try again later",
                       options.state.string()));
  return kBusy;
}

}  // namespace

Config load_config_shown(const std::filesystem::path& directory) {
  if (::isatty(STDERR_FILENO) == 0) return load_config(directory);
  auto config = load_config(directory, [](std::size_t done, std::size_t of) {
    if (done % 100 == 0 && of > 100) fmt::print(stderr, "\r{} of {} files", done, of);
    if (done == of && of > 100) fmt::print(stderr, "\r\033[K");
  });
  return config;
}

void print_problems(const Config& config) {
  for (const auto& error : config.errors) complain(config.describe(error));
  std::map<std::pair<std::string, std::string>, std::size_t> alike;
  for (const auto& warning : config.warnings) {
    const auto count = ++alike[{warning.key, warning.cause}];
    if (count <= kShownAlike) complain("warning: " + config.describe(warning));
  }
  for (const auto& [what, count] : alike) {
    if (count > kShownAlike) {
      complain(fmt::format("warning: {} more: {}: {}", count - kShownAlike, what.first,
                           what.second));
    }
  }
}

int apply(const ApplyOptions& options) {
  Generations generations(options.state);
  return locked(options, generations, [&] {
    const Config config = load_config_shown(options.config);
    print_problems(config);
    if (!config.errors.empty()) {
      complain(fmt::format("{} errors; nothing was changed", config.errors.size()));
      return 1;
    }
    GenerationMeta meta;
    meta.written = system_time();
    meta.config = config.digest;
    return Installation(options, generations)
        .install(compile(config, pick_host(config, options.host), options.state.string()),
                 meta);
  });
}

int rollback(const ApplyOptions& options, std::optional<std::uint64_t> number) {
  Generations generations(options.state);
  return locked(options, generations, [&] {
    const auto current = generations.number_of(Generations::kCurrent);
    if (!current) {
      complain("no generation is in force");
      return 1;
    }
    const auto now = generations.meta(*current);
    const auto origin = now.copy_of != 0 ? generations.meta(now.copy_of) : now;
    const std::uint64_t target = number.value_or(origin.previous);
    if (target == 0 || target == *current) {
      complain(target == 0 ? "there is no earlier generation"
                           : fmt::format("generation {} is in force", target));
      return 1;
    }
    Generated next = without_removed(generations.load(target));
    const Generated previous = generations.load(*current);
    for (const auto& one : previous.hosted) {
      if (one.is_relayed() && !relays(next, one.name)) {
        say(fmt::format("no longer hosted: {} (mail that waits is kept)", one.name));
      }
    }
    GenerationMeta meta;
    meta.written = system_time();
    meta.config = generations.meta(target).config;
    meta.copy_of = target;
    say(fmt::format("back to generation {}", target));
    return Installation(options, generations).install(std::move(next), meta);
  });
}

}  // namespace mxfeed
