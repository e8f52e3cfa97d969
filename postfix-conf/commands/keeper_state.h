// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the keeper reads, and what it leaves for others, besides its book.

#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {

// Below --state.
inline constexpr const char* kKeeperDirectory = "keeper";
// In it.
inline constexpr const char* kHeldFile = "held.db";

// The lock of a run; nothing if another one has it.  Creates the directory.
std::optional<Fd> lock_keeper(const std::filesystem::path& state);

// What the keeper needs to know of Postfix.
struct KeeperPostfix {
  std::filesystem::path config;
  std::filesystem::path queue_directory;
  std::filesystem::path log_file;  // need not exist
  std::string host;                // myhostname
  bool has_long_ids = false;
  std::chrono::seconds suspension{300};  // minimal_backoff_time
  bool has_overlay = false;   // transport_maps has the keeper's table of routes
  bool has_provider = false;  // master.cf has the transport to the provider's postmaster
  bool has_intake = false;    // the gate asks the keeper's table of stopped domains
};
KeeperPostfix read_keeper_postfix(const std::filesystem::path& postfix_config,
                                  const std::filesystem::path& state);

// What the generation in force for Postfix hosts; nothing if there is none.
Generated read_hosted(const std::filesystem::path& state);

// The lifetime of mail for no hosted domain; nothing if Postfix's own counts.
std::optional<std::chrono::seconds> lifetime_of_others(const Generated& generated);

// mxfeed apply notes in which run of the host it was.
void note_apply(const std::filesystem::path& state);
std::optional<Time> last_apply(const std::filesystem::path& state);
bool has_applied_since_boot(const std::filesystem::path& state, std::string_view boot_id);

// The end of the last run; nothing if there was none.
void note_keeper_run(const std::filesystem::path& state, Time now);
std::optional<Time> last_keeper_run(const std::filesystem::path& state);

}  // namespace mxfeed
