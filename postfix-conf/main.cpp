// SPDX-License-Identifier: GPL-2.0-or-later
//
// The program `mxfeed`: the commands of all parts.
#include <fmt/format.h>
#include <sys/stat.h>

#include <iterator>
#include <utility>

#include "common/command/command.h"
#include "common/command/command_line.h"
#include "milters/greylist/commands/commands.h"
#include "milters/spam/commands/commands.h"
#include "milters/virus/commands/commands.h"
#include "postfix-conf/commands/commands.h"
#include "postfix-conf/held_lessons.h"

namespace {

using namespace mxfeed;

void append(std::vector<Command>& all, std::vector<Command> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()),
             std::make_move_iterator(more.end()));
}

Registry all_commands() {
  Registry registry{"mxfeed", "Turns Postfix into a provider's inbound mail gateway.",
                    gateway_commands()};
  append(registry.commands, greylist::commands());
  append(registry.commands, domain_commands());
  append(registry.commands, mailbox_commands());
  append(registry.commands, greylist_list_commands());
  append(registry.commands, virus::commands());
  append(registry.commands, spam::commands(quarantine::open_lessons));
  registry.commands.push_back({"completion bash",
                               "Print a script that completes commands in bash",
                               {},
                               {},
                               [](const Arguments&) {
                                 fmt::print("{}", bash_completion(all_commands()));
                                 return ExitCode::fine;
                               }});
  return registry;
}

}  // namespace

int main(int argc, char** argv) {
  ::umask(022);
  return run_program(all_commands(), argc, argv);
}
