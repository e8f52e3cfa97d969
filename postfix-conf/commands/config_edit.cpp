// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/config_edit.h"

#include "common/base/file.h"
#include "common/command/command.h"
#include "postfix-conf/commands/problems.h"

namespace mxfeed {

Config read_sound_config(const std::filesystem::path& directory) {
  Config config = load_config_shown(directory);
  if (config.errors.empty()) return config;
  print_problems(config);
  throw CommandError(ExitCode::wrong,
                     "the configuration has errors; nothing was changed");
}

std::optional<Config> edit_config(const std::filesystem::path& directory,
                                  const std::string& file, const std::string& before,
                                  const std::string& after,
                                  const std::function<bool(const Config&)>& is_right) {
  rewrite_file(file, after);
  Config now = load_config_shown(directory);
  if (now.errors.empty() && is_right(now)) return now;
  rewrite_file(file, before);
  return std::nullopt;
}

}  // namespace mxfeed
