// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads a command line.  Options may stand anywhere, even before the command's name.
// "--option VALUE" and "--option=VALUE" are the same.  After "--" all words are operands;
// "-" is an operand.

#pragma once

#include <string>
#include <variant>
#include <vector>

#include "common/command/command.h"

namespace mxfeed {

struct Invocation {
  const Command* command;
  Arguments arguments;
};
// --help or --version was given.
struct TextAsked {
  std::string text;
};
struct UsageError {
  std::string text;  // a line, without its end
  std::string hint;  // the usage of the command
};

std::variant<Invocation, TextAsked, UsageError> parse_command_line(
    const Registry& registry, const std::vector<std::string>& words);

// "usage: mxfeed show [--json] DOMAIN\n"
std::string usage_line(const Registry& registry, const Command& command);
std::string help_text(const Registry& registry);
// For the commands of a group.
std::string help_text(const Registry& registry, std::string_view group);
std::string help_text(const Registry& registry, const Command& command);

// A script for bash(1) that completes commands, options and operands.
std::string bash_completion(const Registry& registry);

}  // namespace mxfeed
