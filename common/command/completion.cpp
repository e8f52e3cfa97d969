// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <map>
#include <set>

#include "common/command/command_line.h"

namespace mxfeed {
namespace {

using Names = std::set<std::string>;

// The option of bash's compgen that completes the value; empty if nothing does.
std::string_view action(Takes takes) {
  switch (takes) {
    case Takes::file:
      return "-f";
    case Takes::directory:
      return "-d";
    case Takes::text:
    case Takes::number:
      break;
  }
  return "";
}

std::string joined(const Names& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

Names names_of(const std::vector<Option>& options) {
  Names names;
  for (const auto& option : options) names.emplace(option.name);
  return names;
}

// The options that take a value, by how it is completed.
std::map<std::string_view, Names> valued_options(const Registry& registry) {
  std::map<std::string_view, Names> found;
  for (const auto& command : registry.commands) {
    for (const auto* const all : {&command.options, &common_options()}) {
      for (const auto& option : *all) {
        if (!option.value.empty()) found[action(option.takes)].emplace(option.name);
      }
    }
  }
  return found;
}

// The branches of a shell case: for the words before the cursor, what may follow.
std::string branches(const Registry& registry) {
  std::map<std::string, Names> groups;
  std::string text, last;
  for (const auto& command : registry.commands) {
    if (const auto blank = command.name.find(' '); blank != std::string_view::npos) {
      groups[std::string(command.name.substr(0, blank))].emplace(
          command.name.substr(blank + 1));
    }
    Names options = names_of(command.options);
    options.merge(names_of(common_options()));
    // A command may have the name of a group, too.
    (registry.is_group(command.name) ? last : text) += fmt::format(
        "    \"{} \"*) options=\"{}\" operands=\"{}\" ;;\n", command.name,
        joined(options, " "),
        command.operands.empty() ? "" : action(command.operands.back().takes));
  }
  std::string before;
  for (const auto& [group, names] : groups) {
    Names options;
    if (const auto* const command = registry.find(group)) {
      options = names_of(command->options);
      options.merge(names_of(common_options()));
    }
    before += fmt::format("    \"{} \") names=\"{}\"{} ;;\n", group, joined(names, " "),
                          options.empty()
                              ? std::string()
                              : fmt::format(" options=\"{}\"", joined(options, " ")));
  }
  return before + text + last;
}

}  // namespace

std::string bash_completion(const Registry& registry) {
  const std::string_view program = registry.program;
  Names first, valued;
  for (const auto& command : registry.commands) {
    first.emplace(command.name.substr(0, command.name.find(' ')));
  }
  std::string values;
  for (const auto& [how, names] : valued_options(registry)) {
    values += fmt::format("    {}) values=\"{}\" ;;\n", joined(names, " | "),
                          how.empty() ? "none" : how);
    valued.insert(names.begin(), names.end());
  }
  return fmt::format("# For bash(1): eval \"$({0} completion bash)\"\n_{0}() {{\n",
                     program) +
         R"(  local word=${COMP_WORDS[COMP_CWORD]} words="" i
  local values="" names="" options="" operands=""
  COMPREPLY=()
  case ${COMP_WORDS[COMP_CWORD - 1]} in
)" + values +
         R"(  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
)" + fmt::format("      {}) ((i++)) ;;\n", joined(valued, " | ")) +
         R"(      -*) ;;
      *) words+="${COMP_WORDS[i]} " ;;
    esac
  done
  case $words in
)" +
         fmt::format("    \"\") names=\"{}\" options=\"{} --version\" ;;\n",
                     joined(first, " "), joined(names_of(common_options()), " ")) +
         branches(registry) +
         R"(  esac
  if [[ $values == none ]]; then
    return
  elif [[ -n $values ]]; then
    COMPREPLY=($(compgen "$values" -- "$word"))
  elif [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  elif [[ -n $names ]]; then
    COMPREPLY=($(compgen -W "$names" -- "$word"))
  elif [[ -n $operands ]]; then
    COMPREPLY=($(compgen "$operands" -- "$word"))
  fi
}
)" + fmt::format("complete -o filenames -F _{0} {0}\n", program);
}

}  // namespace mxfeed
