// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/keeper_state.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "common/base/fault.h"
#include "common/base/host_clock.h"
#include "common/base/text.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/generate/overlay.h"
#include "postfix-conf/postfix/mail_log.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
namespace {

constexpr const char* kApplied = "applied";
constexpr const char* kLastRun = "last_run";

// Postfix's own default, for mail that Postfix keeps longer because of us.
constexpr std::chrono::hours kLifetimeOfOthers{120};

std::filesystem::path directory_in(const std::filesystem::path& state) {
  return state / kKeeperDirectory;
}

}  // namespace

std::optional<Fd> lock_keeper(const std::filesystem::path& state) {
  const auto directory = directory_in(state);
  if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    throw Fault("make directory", directory.string(), errno_text(errno));
  }
  return lock_file(directory / "lock");
}

KeeperPostfix read_keeper_postfix(const std::filesystem::path& postfix_config,
                                  const std::filesystem::path& state) {
  KeeperPostfix found;
  found.config = postfix_config;
  const auto values =
      Postfix(postfix_config)
          .parameters({"queue_directory", "myhostname", "enable_long_queue_ids",
                       "transport_maps", "minimal_backoff_time", "maillog_file",
                       kRecipientsParameter});
  found.queue_directory = values.at(0);
  found.host = values.at(1);
  found.has_long_ids = values.at(2) == "yes";
  found.suspension = parse_duration(values.at(4)).value_or(found.suspension);
  found.log_file = mail_log_file(values.at(5));
  const auto has_table = [](const std::string& value, const std::filesystem::path& path) {
    const auto items = list_items(value);
    return std::find(items.begin(), items.end(), "cdb:" + path.string()) != items.end();
  };
  found.has_overlay = has_table(values.at(3), overlay_path(state));
  const auto master = read_file(postfix_config / "master.cf").value_or("");
  std::vector<std::string> services;
  for (const auto line : split(master, '\n')) services.emplace_back(line);
  found.has_provider = has_provider(services);
  found.has_intake = has_table(values.at(6), intake_overlay_path(state));
  return found;
}

Generated read_hosted(const std::filesystem::path& state) {
  const Generations generations(state);
  const auto number = generations.number_of(Generations::kCurrentPostfix);
  return number ? generations.load(*number) : Generated();
}

std::optional<std::chrono::seconds> lifetime_of_others(const Generated& generated) {
  if (!generated.use.dedicated) return std::nullopt;
  return kLifetimeOfOthers;
}

void note_apply(const std::filesystem::path& state) {
  write_file(state / kApplied, read_boot_id() + "\n");
}

std::optional<Time> last_apply(const std::filesystem::path& state) {
  struct stat status;
  if (::stat((state / kApplied).c_str(), &status) != 0) return std::nullopt;
  return Time(std::chrono::seconds(status.st_mtim.tv_sec));
}

bool has_applied_since_boot(const std::filesystem::path& state,
                            std::string_view boot_id) {
  const auto text = read_file(state / kApplied, 1000);
  return text && trim(*text) == boot_id;
}

void note_keeper_run(const std::filesystem::path& state, Time now) {
  write_file(directory_in(state) / kLastRun,
             std::to_string(now.time_since_epoch().count()) + "\n");
}

std::optional<Time> last_keeper_run(const std::filesystem::path& state) {
  const auto text = read_file(directory_in(state) / kLastRun, 1000);
  const auto seconds = text ? parse_unsigned(trim(*text)) : std::nullopt;
  if (!seconds) return std::nullopt;
  return Time(std::chrono::seconds(*seconds));
}

}  // namespace mxfeed
