// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "common/command/command_line.h"

namespace mxfeed {
namespace {

struct HelpRow {
  std::string name;
  std::string text;
};

std::string section(std::string_view title, const std::vector<HelpRow>& rows) {
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.name.size());
  std::string all = rows.empty() ? "" : fmt::format("\n{}:\n", title);
  for (const auto& row : rows) {
    all += fmt::format("  {:<{}}  {}\n", row.name, width, row.text);
  }
  return all;
}

std::string shown(const Option& option) {
  return option.value.empty() ? std::string(option.name)
                              : fmt::format("{} {}", option.name, option.value);
}

std::string shown(const Operand& operand) {
  switch (operand.count) {
    case Operand::Count::one:
      return std::string(operand.name);
    case Operand::Count::at_most_one:
      return fmt::format("[{}]", operand.name);
    case Operand::Count::any:
      return fmt::format("[{}...]", operand.name);
    case Operand::Count::at_least_one:
      return fmt::format("{}...", operand.name);
  }
  return {};
}

std::vector<HelpRow> rows_of(const std::vector<Option>& options) {
  std::vector<HelpRow> rows;
  for (const auto& option : options) {
    std::string text(option.help);
    if (!option.otherwise.empty()) text += fmt::format(" (default {})", option.otherwise);
    rows.push_back({shown(option), std::move(text)});
  }
  return rows;
}

std::vector<HelpRow> command_rows(const Registry& registry, std::string_view group) {
  std::vector<HelpRow> rows;
  for (const auto& command : registry.commands) {
    const bool wanted =
        group.empty() || command.name.substr(0, command.name.find(' ')) == group;
    if (wanted) rows.push_back({std::string(command.name), std::string(command.summary)});
  }
  return rows;
}

}  // namespace

std::string usage_line(const Registry& registry, const Command& command) {
  std::string line = fmt::format("usage: {} {}", registry.program, command.name);
  for (const auto& option : command.options) line += fmt::format(" [{}]", shown(option));
  for (const auto& operand : command.operands) line += " " + shown(operand);
  return line + "\n";
}

std::string help_text(const Registry& registry) {
  std::string text = fmt::format("usage: {} COMMAND [OPTION]...\n\n{}\n",
                                 registry.program, registry.summary);
  text += section("Commands", command_rows(registry, ""));
  auto options = rows_of(common_options());
  options.push_back({"--version", "Print the version"});
  text += section("Options of every command", options);
  std::vector<HelpRow> codes;
  for (const auto code : all_exit_codes()) {
    codes.push_back(
        {fmt::format("{}", static_cast<int>(code)), std::string(describe(code))});
  }
  text += section("Exit codes", codes);
  return text + fmt::format(
                    "\nSee \"{} COMMAND --help\" for one command and the manual page "
                    "{}(8) for all.\n",
                    registry.program, registry.program);
}

std::string help_text(const Registry& registry, std::string_view group) {
  return fmt::format("usage: {} {} COMMAND [OPTION]...\n", registry.program, group) +
         section("Commands", command_rows(registry, group));
}

std::string help_text(const Registry& registry, const Command& command) {
  std::vector<HelpRow> operands;
  for (const auto& operand : command.operands) {
    operands.push_back({std::string(operand.name), std::string(operand.help)});
  }
  return usage_line(registry, command) + fmt::format("\n{}.\n", command.summary) +
         section("Operands", operands) + section("Options", rows_of(command.options)) +
         section("Options of every command", rows_of(common_options()));
}

}  // namespace mxfeed
