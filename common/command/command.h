// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a command is.  Parsing, --help and completion all follow from the registry of
// commands.
//
//   const Command kShow = {"show", "Show the effective policy of a domain",
//                          {kJson},
//                          {{"DOMAIN", "The domain"}},
//                          [](const Arguments& arguments) { ... }};

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/command/exit_code.h"

namespace mxfeed {

// The kind of a value: decides how it is checked and completed.
enum class Takes { text, number, file, directory };

struct Option {
  std::string_view name;   // "--allow-removals"
  std::string_view value;  // its placeholder, "N"; empty for a flag
  std::string_view help;
  Takes takes = Takes::text;
  std::string_view otherwise = {};  // the default, for --help
};

struct Operand {
  enum class Count { one, at_most_one, at_least_one, any };
  std::string_view name;  // its placeholder, "DOMAIN"
  std::string_view help;
  Takes takes = Takes::text;
  Count count = Count::one;  // only the last operand may have another one
};

// The options and operands of a valid command line: values are checked, operands counted.
class Arguments {
 public:
  Arguments(std::map<std::string, std::string, std::less<>> options,
            std::vector<std::string> operands)
      : options_(std::move(options)), operands_(std::move(operands)) {}

  bool has(std::string_view option) const { return options_.contains(option); }
  // The value; that of the last one if it was given more than once.
  std::optional<std::string> text(std::string_view option) const;
  std::optional<std::uint64_t> number(std::string_view option) const;
  const std::vector<std::string>& operands() const { return operands_; }

  // The options that every command has.
  std::filesystem::path config() const;
  std::filesystem::path state() const;  // absolute
  // Whether --json was given; only some commands have it.
  bool json() const { return has("--json"); }

 private:
  std::map<std::string, std::string, std::less<>> options_;
  std::vector<std::string> operands_;
};

struct Command {
  std::string_view name;  // "apply", or "greylist list" within a group
  std::string_view summary;
  std::vector<Option> options;  // besides those that every command has
  std::vector<Operand> operands;
  std::function<ExitCode(const Arguments&)> run;
};

inline constexpr Option kJson = {"--json", "", "Print JSON"};

// The program and its commands, in the order of --help.  If several commands have an
// option of the same name, it takes a value in all of them or in none.
struct Registry {
  std::string_view program;
  std::string_view summary;
  std::vector<Command> commands;

  const Command* find(std::string_view name) const;
  // Whether the word is the first of several commands' names.
  bool is_group(std::string_view word) const;
};

// --config, --state, --help.
const std::vector<Option>& common_options();

// `path` made absolute, without a final slash.
std::filesystem::path absolute_path(const std::string& path);

// Runs what the command line asks for and returns the exit status.  Prints usage errors
// and exceptions on standard error.
int run_program(const Registry& registry, int argc, char** argv);

}  // namespace mxfeed
