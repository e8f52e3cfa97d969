// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/recipient_commands.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "postfix-conf/commands/program_output.h"
#include "postfix-conf/config/recipient_files.h"
#include "postfix-conf/config/settings.h"
#include "postfix-conf/generate/removals.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;
using List = std::vector<std::string>;

// Below --state: a file for each domain, a local part in each line.
constexpr const char* kDirectory = "recipient_lists";
constexpr unsigned kMode = 0600;
constexpr std::size_t kMostOutput = 64 << 20;
// Less than the silence for which run_program() kills.
constexpr std::chrono::seconds kTimeLimit{50};
constexpr std::chrono::minutes kMostTime{5};

// What a program printed, or why that is no list.
struct Output {
  List list;
  std::string problem;  // empty if there is a list
  bool is_slow = false;
};

Output no_list(std::string problem) {
  return {{}, std::move(problem), false};
}

// The list in its text for the domain.
Output parse_output(std::string_view text, const std::string& domain) {
  const auto file = RecipientFile::parse(text);
  if (file.damage()) {
    return no_list(fmt::format("line {} of its output: {}", file.damage()->line,
                               file.damage()->cause));
  }
  auto list = file.of(domain);
  if (list.empty()) return no_list("it printed no recipient of the domain");
  return {std::move(list), {}, false};
}

Output run(const RecipientCommand& command, const std::string& domain) {
  List argv = command.command;
  argv.push_back(domain);
  auto output = run_program(argv, {"MXFEED_DOMAIN=" + domain}, kTimeLimit, kMostOutput);
  if (!output.problem.empty()) return {{}, std::move(output.problem), output.is_slow};
  return parse_output(output.text, domain);
}

std::optional<Time> written(const fs::path& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Time(std::chrono::seconds(status.st_mtim.tv_sec));
}

class RecipientCommands {
 public:
  RecipientCommands(Config& config, const RecipientCommandsOptions& options)
      : config_(config), options_(options), directory_(options.state / kDirectory) {}

  void add(const DomainConfig& domain) {
    const auto* const command =
        config_.find_recipient_command(domain.settings->recipient_command());
    if (command == nullptr) return;  // an error, noted before
    const auto path = directory_ / domain.name;
    std::string damage;
    const List last = read(path, domain.name, damage);
    auto output = run_in_time(*command, domain.name);
    if (output.problem.empty()) output.problem = refusal(output.list, last);
    if (output.problem.empty()) output.problem = store(path, output.list);
    if (output.problem.empty()) {
      config_.recipients.insert_or_assign(domain.name, std::move(output.list));
      return;
    }
    if (last.empty()) {
      note(config_.errors, domain,
           output.problem + (damage.empty() ? "; there is no earlier list" : "; ") +
               damage);
      return;
    }
    const auto time = written(path);
    note(config_.warnings, domain,
         fmt::format("{}; the list of {} stays in use", output.problem,
                     time ? utc(*time) : "an earlier run"));
    config_.recipients.insert_or_assign(domain.name, last);
  }

 private:
  // The last good list; empty if there is none.
  static List read(const fs::path& path, const std::string& domain, std::string& damage) {
    try {
      const auto text = read_regular_file(path, kMostOutput);
      if (!text) return {};
      const auto file = RecipientFile::parse(*text);
      if (!file.damage()) return file.of(domain);
      damage = fmt::format("{}: damaged", path.string());
    } catch (const Fault& fault) {
      damage = fault.what();
    }
    return {};
  }

  Output run_in_time(const RecipientCommand& command, const std::string& domain) {
    if (slow_.contains(command.name)) {
      return no_list("not run, since it was slow for another domain");
    }
    if (std::chrono::steady_clock::now() - start_ > kMostTime) {
      return no_list("not run, since the commands took five minutes together");
    }
    auto output = run(command, domain);
    if (output.is_slow) slow_.insert(command.name);
    return output;
  }

  // Why the list cannot replace the last one; empty if it can.
  std::string refusal(const List& next, const List& last) const {
    const auto removals = find_recipient_removals(next, last);
    if (!removals.are_many() || removals.removed <= options_.allow_removals) return {};
    return fmt::format(
        "refused: {} of {} recipients would be removed; if this is intended, use mxfeed "
        "apply --allow-recipient-removals {}",
        removals.removed, removals.of, removals.removed);
  }

  // Also if it is the same as before: the time of the file is that of the last good run.
  std::string store(const fs::path& path, const List& list) const {
    if (!options_.keep) return {};
    try {
      if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
        throw Fault("make directory", directory_.string(), errno_text(errno));
      }
      write_file(path, fmt::format("{}\n", fmt::join(list, "\n")), kMode);
    } catch (const Fault& fault) {
      return fault.what();
    }
    return {};
  }

  void note(std::vector<Problem>& problems, const DomainConfig& domain,
            const std::string& cause) const {
    const auto place = domain.place_of(domain_setting("recipients"));
    problems.push_back({place.line == 0 ? domain.place : place,
                        fmt::format("domain \"{}\"", domain.name), "recipients",
                        fmt::format("{}: {}", domain.settings->recipients, cause)});
  }

  Config& config_;
  const RecipientCommandsOptions& options_;
  const fs::path directory_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::set<std::string> slow_;  // names of commands
};

bool has_command(const DomainConfig& domain) {
  const auto state = domain.settings->state;
  return !domain.name.empty() && state != DomainState::removed &&
         !domain.settings->recipient_command().empty();
}

// Calls `see` with the name and the path of each stored list.
void each_list(const fs::path& state,
               const std::function<void(const std::string&, const fs::path&)>& see) {
  std::error_code error;
  for (fs::directory_iterator at(state / kDirectory, error), end; !error && at != end;
       at.increment(error)) {
    see(at->path().filename().string(), at->path());
  }
}

}  // namespace

void run_recipient_commands(Config& config, const RecipientCommandsOptions& options) {
  RecipientCommands commands(config, options);
  for (const auto& domain : config.domains) {
    if (!has_command(domain)) continue;
    if (!options.is_due || options.is_due(domain.name)) commands.add(domain);
  }
}

std::set<std::string> domains_with_command(const Config& config) {
  std::set<std::string> names;
  for (const auto& domain : config.domains) {
    if (has_command(domain)) names.insert(domain.name);
  }
  return names;
}

void prune_recipient_lists(const fs::path& state, const std::set<std::string>& domains) {
  each_list(state, [&](const std::string& name, const fs::path& path) {
    std::error_code ignored;
    if (!domains.contains(name)) fs::remove(path, ignored);
  });
}

std::vector<std::string> stale_recipient_lists(const fs::path& state, Time now,
                                               std::chrono::seconds life) {
  std::vector<std::string> names;
  each_list(state, [&](const std::string& name, const fs::path& path) {
    const auto time = written(path);
    // A time in the future is of another clock.
    if (time && (*time > now || now - *time > life)) names.push_back(name);
  });
  return names;
}

}  // namespace mxfeed
