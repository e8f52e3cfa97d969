// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/command/command_line.h"

namespace mxfeed {

std::optional<std::string> Arguments::text(std::string_view option) const {
  const auto found = options_.find(option);
  if (found == options_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::uint64_t> Arguments::number(std::string_view option) const {
  const auto value = text(option);
  return value ? parse_unsigned(*value) : std::nullopt;
}

std::filesystem::path Arguments::config() const {
  return text("--config").value_or("/etc/mxfeed");
}

std::filesystem::path Arguments::state() const {
  return absolute_path(text("--state").value_or("/var/lib/mxfeed"));
}

const Command* Registry::find(std::string_view name) const {
  const auto found =
      std::find_if(commands.begin(), commands.end(),
                   [&](const Command& command) { return command.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

bool Registry::is_group(std::string_view word) const {
  return std::any_of(commands.begin(), commands.end(), [&](const Command& command) {
    return command.name.size() > word.size() && command.name.starts_with(word) &&
           command.name[word.size()] == ' ';
  });
}

const std::vector<Option>& common_options() {
  static const std::vector<Option> kAll = {
      {"--config", "DIR", "Directory of mxfeed.toml", Takes::directory, "/etc/mxfeed"},
      {"--state", "DIR", "Directory of the generations and the daemons' data",
       Takes::directory, "/var/lib/mxfeed"},
      {"--help", "", "Print this help"}};
  return kAll;
}

std::filesystem::path absolute_path(const std::string& path) {
  auto full = std::filesystem::absolute(path).lexically_normal();
  return full.has_filename() ? full : full.parent_path();
}

namespace {

ExitCode run(const Registry& registry, const std::vector<std::string>& words) {
  const auto parsed = parse_command_line(registry, words);
  if (const auto* const error = std::get_if<UsageError>(&parsed)) {
    fmt::print(stderr, "{}: {}\n{}", registry.program, error->text, error->hint);
    return ExitCode::usage;
  }
  if (const auto* const asked = std::get_if<TextAsked>(&parsed)) {
    fmt::print("{}", asked->text);
    return ExitCode::fine;
  }
  const auto& invocation = std::get<Invocation>(parsed);
  return invocation.command->run(invocation.arguments);
}

}  // namespace

int run_program(const Registry& registry, int argc, char** argv) {
  ExitCode code = ExitCode::wrong;
  try {
    code = run(registry, std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  } catch (const CommandError& error) {
    fmt::print(stderr, "{}\n", error.what());
    code = error.code();
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
  }
  if (std::fflush(stdout) != 0) {
    fmt::print(stderr, "write: standard output: {}\n", errno_text(errno));
    code = worse(code, ExitCode::wrong);
  }
  return static_cast<int>(code);
}

}  // namespace mxfeed
