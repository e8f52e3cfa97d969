// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/problems.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <string>
#include <utility>

#include "postfix-conf/config/load.h"

namespace mxfeed {
namespace {

constexpr std::size_t kShownAlike = 5;

}  // namespace

void complain(const std::string& line) {
  fmt::print(stderr, "{}\n", line);
}

Config load_config_shown(const std::filesystem::path& directory, const AskSource& ask) {
  if (::isatty(STDERR_FILENO) == 0) return load_config(directory, {}, ask);
  const auto show = [](std::size_t done, std::size_t of) {
    if (done % 100 == 0 && of > 100) fmt::print(stderr, "\r{} of {} files", done, of);
    if (done == of && of > 100) fmt::print(stderr, "\r\033[K");
  };
  return load_config(directory, show, ask);
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

}  // namespace mxfeed
