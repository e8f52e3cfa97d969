// SPDX-License-Identifier: GPL-2.0-or-later
//
// The command `mxfeed`.
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "postfix-conf/commands/apply.h"
#include "postfix-conf/commands/listing.h"

namespace {

using namespace mxfeed;

constexpr int kUsage = 2;

bool is_daemon_command(std::string_view name) {
  return name == "greylist" || name == "virus" || name == "spam";
}

// Becomes the daemon's own program, which knows the sub-commands on its data.
int run_daemon_command(char** argv) {
  std::string program = std::string("mxfeed-") + argv[1];
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto beside = (self.parent_path() / program).string();
  argv[1] = program.data();  // its name in its own messages
  ::execv(beside.c_str(), argv + 1);
  if (errno == ENOENT) ::execvp(program.c_str(), argv + 1);
  std::fprintf(stderr, "run: %s: %s\n", program.c_str(), errno_text(errno).c_str());
  return 1;
}

// Postfix takes blanks and commas in a map's path as separators.
bool is_plain_path(const std::string& path) {
  return std::all_of(path.begin(), path.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+@%=").find(c) != std::string_view::npos;
  });
}

// CLI11 takes "-1" for a very large number.
std::string is_number(const std::string& text) {
  return parse_unsigned(text) ? "" : "not a number: " + escape_untrusted(text);
}

std::filesystem::path absolute(const std::string& path) {
  auto full = std::filesystem::absolute(path).lexically_normal();
  return full.has_filename() ? full : full.parent_path();
}

int run(int argc, char** argv) {
  std::string config = "/etc/mxfeed";
  std::string state = "/var/lib/mxfeed";
  std::string postfix_config = "/etc/postfix";
  std::string domain;
  std::uint64_t number = 0;
  bool no_postfix = false;
  bool json = false;
  ApplyOptions options;

  CLI::App app("Turns Postfix into a provider's inbound mail gateway.");
  app.set_version_flag("--version", "mxfeed " MXFEED_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--config", config, "Directory of mxfeed.toml")->capture_default_str();
  app.add_option("--state", state, "Directory of what is generated")
      ->capture_default_str();
  app.footer(
      "mxfeed greylist|virus|spam ... runs the sub-commands of that daemon.\n"
      "Exit status: 0 fine, 1 something is wrong, 2 usage, 75 try later.");

  auto* const check_command = app.add_subcommand("check", "Validate the configuration");
  auto* const apply_command =
      app.add_subcommand("apply", "Check, write a generation, put it in force, prove it");
  auto* const rollback_command =
      app.add_subcommand("rollback", "Go back to an earlier generation");
  auto* const generations_command =
      app.add_subcommand("generations", "List the generations");
  auto* const show_command = app.add_subcommand(
      "show", "The effective policy of a domain, and where it is from");

  for (auto* const command : {apply_command, rollback_command}) {
    command->add_flag("--dry-run", options.dry_run,
                      "Say what would change, change nothing");
    command->add_flag("--diff", options.diff, "Say what changes");
    command
        ->add_option("--allow-removals", options.allow_removals,
                     "Remove up to that many domains")
        ->check(is_number);
    command->add_flag("--no-postfix", no_postfix, "Do not talk to Postfix");
    command
        ->add_option("--postfix-config", postfix_config, "Postfix's directory of main.cf")
        ->capture_default_str();
  }
  apply_command->add_option("--host", options.host, "The [[host]] that this is");
  auto* const number_option =
      rollback_command->add_option("GENERATION", number, "Unless said: the one before")
          ->check(is_number);
  show_command->add_option("DOMAIN", domain, "The domain")->required();
  for (auto* const command : {generations_command, show_command}) {
    command->add_flag("--json", json, "As JSON");
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  options.config = config;
  options.state = absolute(state);
  options.postfix_config = absolute(postfix_config);
  options.use_postfix = !no_postfix;
  if (!is_plain_path(options.state.string())) {
    std::fprintf(stderr,
                 "--state: %s: Postfix cannot take blanks, commas and the like in "
                 "a path\n",
                 escape_untrusted(options.state.string()).c_str());
    return kUsage;
  }
  if (check_command->parsed()) return check(options.config);
  if (apply_command->parsed()) return apply(options);
  if (rollback_command->parsed()) {
    return rollback(options,
                    number_option->count() > 0 ? std::optional(number) : std::nullopt);
  }
  if (generations_command->parsed()) return list_generations(options.state, json);
  return show(options.config, domain, json);
}

}  // namespace

int main(int argc, char** argv) {
  ::umask(022);
  if (argc > 1 && is_daemon_command(argv[1])) return run_daemon_command(argv);
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
