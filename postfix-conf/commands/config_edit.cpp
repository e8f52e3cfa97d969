// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/config_edit.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/command/command.h"
#include "common/mail/address.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/config/settings.h"
#include "postfix-conf/config/toml_edit.h"
#include "postfix-conf/generate/generations.h"

namespace mxfeed {

Config read_sound_config(const std::filesystem::path& directory) {
  Config config = load_config_shown(directory);
  if (config.errors.empty()) return config;
  print_problems(config);
  throw CommandError(ExitCode::wrong,
                     "the configuration has errors; nothing was changed");
}

const DomainConfig& configured_domain(const Config& config, const std::string& name) {
  const auto parsed = Domain::parse(name);
  if (!parsed) {
    throw CommandError(ExitCode::wrong, fmt::format("\"{}\" is not a domain name",
                                                    escape_untrusted(name)));
  }
  const auto* const domain = config.find(parsed->str());
  if (domain != nullptr) return *domain;
  throw CommandError(ExitCode::wrong, fmt::format("{}: not configured", parsed->str()));
}

std::optional<std::string> set_domain_value(std::string_view text,
                                            const DomainConfig& domain,
                                            std::string_view key,
                                            std::string_view value) {
  const Place place = domain.place_of(domain_setting(key));
  if (place.line != 0 && place.file == domain.place.file) {
    return replace_value(text, place.line, key, value);
  }
  return insert_value(text, domain.place.line, "name", key, value);
}

Config edit_domain(const EditedDomain& edited, const DomainTextEdit& edit,
                   const std::function<bool(const DomainConfig&)>& is_right,
                   std::string_view by_hand) {
  const auto lock = Generations(edited.state).lock();
  if (!lock) {
    throw CommandError(ExitCode::try_later, "another mxfeed is making changes");
  }
  const Config config = read_sound_config(edited.config);
  const DomainConfig& domain = configured_domain(config, edited.name);
  const std::string& file = config.files.at(domain.place.file);
  const auto before =
      domain.place.file == config.source_file ? std::nullopt : read_regular_file(file);
  const auto after = before ? edit(config, domain, *before) : std::nullopt;
  if (!after) {
    throw CommandError(ExitCode::wrong,
                       fmt::format("{}: cannot be edited; write {} there, then run "
                                   "mxfeed apply",
                                   config.describe(domain.place), by_hand));
  }
  auto now = edit_config(edited.config, file, *before, *after, [&](const Config& one) {
    const auto* const changed = one.find(domain.name);
    return changed != nullptr && is_right(*changed);
  });
  if (!now) {
    throw CommandError(ExitCode::wrong,
                       fmt::format("{}: cannot be edited; nothing was changed",
                                   config.describe(domain.place)));
  }
  return *std::move(now);
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
