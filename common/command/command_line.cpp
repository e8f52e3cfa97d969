// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command/command_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/nearest.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMaxShown = 80;

std::string in_quotes(std::string_view word) {
  return fmt::format("\"{}{}\"", escape_untrusted(word.substr(0, kMaxShown)),
                     word.size() > kMaxShown ? "..." : "");
}

std::string did_you_mean(std::string_view given,
                         const std::vector<std::string_view>& known) {
  const auto meant = nearest(given, known);
  return meant.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", meant);
}

const Option* find_option(const std::vector<Option>& options, std::string_view name) {
  const auto found =
      std::find_if(options.begin(), options.end(),
                   [&](const Option& option) { return option.name == name; });
  return found == options.end() ? nullptr : &*found;
}

const Option* find_option(const Command& command, std::string_view name) {
  const auto* const own = find_option(command.options, name);
  return own != nullptr ? own : find_option(common_options(), name);
}

const Option* find_option(const Registry& registry, std::string_view name) {
  for (const auto& command : registry.commands) {
    if (const auto* const found = find_option(command, name)) return found;
  }
  return nullptr;
}

// The words of a command line, sorted into options and others before the command is
// known.
struct Words {
  std::map<std::string, std::string, std::less<>> options;
  std::vector<std::string> plain;
  std::string unknown;     // the first option that no command has
  std::string incomplete;  // what is wrong with the value of an option
  bool help = false;
  bool version = false;
};

Words tell_apart(const Registry& registry, const std::vector<std::string>& given) {
  Words words;
  bool ended = false;  // by "--"
  for (auto word = given.begin(); word != given.end(); ++word) {
    if (ended || word->size() < 2 || !word->starts_with('-')) {
      words.plain.push_back(*word);
      continue;
    }
    if (*word == "--") {
      ended = true;
      continue;
    }
    const auto equals = word->starts_with("--") ? word->find('=') : std::string::npos;
    const std::string name = *word == "-h" ? "--help" : word->substr(0, equals);
    if (name == "--version" && equals == std::string::npos) {
      words.version = true;
      continue;
    }
    const auto* const option = find_option(registry, name);
    if (option == nullptr) {
      if (words.unknown.empty()) words.unknown = name;
      continue;
    }
    std::string value;
    if (option->value.empty() && equals != std::string::npos) {
      words.incomplete = fmt::format("{} takes no value", name);
    } else if (equals != std::string::npos) {
      value = word->substr(equals + 1);
    } else if (!option->value.empty()) {
      if (word + 1 == given.end()) {
        words.incomplete = fmt::format("{}: {} is missing", name, option->value);
        break;
      }
      value = *++word;
    }
    if (name == "--help") words.help = true;
    words.options.insert_or_assign(name, std::move(value));
  }
  return words;
}

// What is wrong with the value of an option or operand; empty if nothing.
std::string wrong_value(std::string_view name, Takes takes, const std::string& value) {
  if (takes == Takes::number && !parse_unsigned(value)) {
    return fmt::format("{}: {} is not a number", name, in_quotes(value));
  }
  if ((takes == Takes::directory || takes == Takes::file) && value.empty()) {
    return fmt::format("{}: must not be empty", name);
  }
  return {};
}

std::string wrong_operands(const Command& command,
                           const std::vector<std::string>& given) {
  const auto& wanted = command.operands;
  for (std::size_t i = 0; i < std::max(wanted.size(), given.size()); ++i) {
    if (i >= given.size()) {
      if (wanted[i].count == Operand::Count::at_most_one ||
          wanted[i].count == Operand::Count::any) {
        continue;
      }
      return fmt::format("{} is missing", wanted[i].name);
    }
    const bool repeated =
        !wanted.empty() && (wanted.back().count == Operand::Count::at_least_one ||
                            wanted.back().count == Operand::Count::any);
    if (i >= wanted.size() && !repeated) {
      return fmt::format("too many operands: {}", in_quotes(given[i]));
    }
    const auto& operand = wanted[std::min(i, wanted.size() - 1)];
    if (auto wrong = wrong_value(operand.name, operand.takes, given[i]); !wrong.empty()) {
      return wrong;
    }
  }
  return {};
}

UsageError unknown_command(const Registry& registry,
                           const std::vector<std::string>& words) {
  const std::string see = fmt::format("See \"{} --help\".\n", registry.program);
  if (words.empty()) return {"a command is missing", see};
  const bool in_group = registry.is_group(words[0]);
  if (in_group && words.size() == 1) {
    return {fmt::format("{}: a command is missing", words[0]),
            help_text(registry, words[0])};
  }
  std::vector<std::string_view> known;
  for (const auto& command : registry.commands) {
    const auto blank = command.name.find(' ');
    if (!in_group) {
      known.push_back(command.name.substr(0, blank));
    } else if (command.name.substr(0, blank) == words[0]) {
      known.push_back(command.name.substr(blank + 1));
    }
  }
  const auto& word = words[in_group ? 1 : 0];
  return {fmt::format("{}unknown command {}{}", in_group ? words[0] + ": " : "",
                      in_quotes(word), did_you_mean(word, known)),
          see};
}

// What is wrong with the options and operands for this command; empty if nothing.
std::string wrong_for(const Command& command, const Words& words,
                      const std::vector<std::string>& operands) {
  std::string unknown = words.unknown;
  for (const auto& [name, value] : words.options) {
    const auto* const option = find_option(command, name);
    if (option == nullptr) {
      if (unknown.empty()) unknown = name;
    } else if (auto wrong = wrong_value(name, option->takes, value); !wrong.empty()) {
      return wrong;
    }
  }
  if (!unknown.empty()) {
    std::vector<std::string_view> known;
    for (const auto* const options : {&command.options, &common_options()}) {
      for (const auto& option : *options) known.push_back(option.name);
    }
    return fmt::format("unknown option {}{}", in_quotes(unknown),
                       did_you_mean(unknown, known));
  }
  if (!words.incomplete.empty()) return words.incomplete;
  return wrong_operands(command, operands);
}

}  // namespace

std::variant<Invocation, TextAsked, UsageError> parse_command_line(
    const Registry& registry, const std::vector<std::string>& given) {
  Words words = tell_apart(registry, given);
  auto& plain = words.plain;
  if (words.version) {
    return TextAsked{fmt::format("{} {}\n", registry.program, MXFEED_VERSION)};
  }
  if (!plain.empty() && plain[0] == "help") {
    words.help = true;
    plain.erase(plain.begin());
  }
  std::size_t named = 2;
  const Command* command =
      plain.size() > 1 ? registry.find(plain[0] + " " + plain[1]) : nullptr;
  if (command == nullptr && !plain.empty()) {
    named = 1;
    command = registry.find(plain[0]);
  }
  if (command == nullptr) {
    if (words.help && plain.empty()) return TextAsked{help_text(registry)};
    if (words.help && plain.size() == 1 && registry.is_group(plain[0])) {
      return TextAsked{help_text(registry, plain[0])};
    }
    if (plain.empty() && !words.unknown.empty()) {
      return UsageError{fmt::format("unknown option {}", in_quotes(words.unknown)),
                        fmt::format("See \"{} --help\".\n", registry.program)};
    }
    return unknown_command(registry, plain);
  }
  if (words.help) return TextAsked{help_text(registry, *command)};
  std::vector<std::string> operands(plain.begin() + static_cast<std::ptrdiff_t>(named),
                                    plain.end());
  if (auto wrong = wrong_for(*command, words, operands); !wrong.empty()) {
    return UsageError{fmt::format("{}: {}", command->name, wrong),
                      usage_line(registry, *command)};
  }
  return Invocation{command, Arguments(std::move(words.options), std::move(operands))};
}

}  // namespace mxfeed
