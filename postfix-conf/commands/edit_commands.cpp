// SPDX-License-Identifier: GPL-2.0-or-later
//
// The commands that change the configuration, but for those of the queue.
#include <string>
#include <utility>

#include "common/command/message_operand.h"
#include "postfix-conf/commands/commands.h"
#include "postfix-conf/commands/common_options.h"
#include "postfix-conf/commands/domain_edit.h"
#include "postfix-conf/commands/greylist_lists.h"
#include "postfix-conf/commands/mailbox.h"
#include "postfix-conf/commands/queue.h"

namespace mxfeed {

std::vector<Command> domain_commands() {
  constexpr std::size_t kMostRow = 64 << 20;
  static constexpr Option kDryRunOfEdit = {"--dry-run", "",
                                           "Check it and change nothing"};
  const Operand name = {"DOMAIN", "Its name"};
  const auto edit_of = [](const Arguments& a, std::string row) {
    return DomainEdit{configuration_of(a), a.state(), a.operands()[0],
                      std::move(row),      a.json(),  a.has(kDryRunOfEdit.name)};
  };
  return {
      {"domain set",
       "Write the settings of a domain: edits the configuration",
       {kJson, kDryRunOfEdit},
       {name, {"FILE", "Its settings in JSON; - is standard input", Takes::file}},
       [edit_of](const Arguments& a) {
         return set_domain(edit_of(a, read_operand(a.operands()[1], kMostRow)));
       }},
      {"domain remove",
       "Stop relaying a domain: edits the configuration",
       {kJson, kDryRunOfEdit},
       {name},
       [edit_of](const Arguments& a) { return remove_domain(edit_of(a, "")); }},
  };
}

std::vector<Command> mailbox_commands() {
  static constexpr Option kFromRecipients = {
      "--from-recipients", "", "Also one for each recipient in its list or in the queue"};
  static constexpr Option kDovecotConfig = {"--dovecot-config", "DIR",
                                            "Directory of dovecot.conf", Takes::directory,
                                            "/etc/dovecot"};
  static constexpr Option kUser = {"--user", "NAME", "Who owns the mailboxes",
                                   Takes::text, "mxfeed-mailbox"};
  static constexpr Option kDryRunOfSetup = {"--dry-run", "",
                                            "Show what would change in Dovecot"};
  const Operand name = {"DOMAIN", "The domain"};
  const auto options_of_mailbox = [](const Arguments& a) {
    return MailboxOptions{configuration_of(a), a.state(), postfix_config_of(a), a.json()};
  };
  return {
      {"mailbox setup",
       "Have Dovecot serve the mailboxes: shows and writes a file of its conf.d",
       {kDryRunOfSetup, kDovecotConfig, kUser, kPostfixConfig},
       {},
       [](const Arguments& a) {
         return set_up_mailboxes(
             {a.state(), postfix_config_of(a),
              absolute_path(a.text(kDovecotConfig.name).value_or("/etc/dovecot")),
              a.text(kUser.name).value_or("mxfeed-mailbox"), a.has("--dry-run")});
       }},
      {"mailbox list",
       "List the mailboxes of a domain, or of all, and how much is in them",
       {kJson},
       {{"DOMAIN", "The domain", Takes::text, Operand::Count::at_most_one}},
       [](const Arguments& a) {
         const auto& operands = a.operands();
         return list_mailboxes({a.config(), a.state(), {}, a.json()},
                               operands.empty() ? "" : operands[0]);
       }},
      {"mailbox create",
       "Make mailboxes for a domain and print their passwords: edits the domain's file",
       {kFromRecipients, kPostfixConfig, kJson},
       {name, {"USER", "What stands before the @", Takes::text, Operand::Count::any}},
       [options_of_mailbox](const Arguments& a) {
         const auto& operands = a.operands();
         return create_mailboxes(options_of_mailbox(a), operands[0],
                                 {operands.begin() + 1, operands.end()},
                                 a.has(kFromRecipients.name));
       }},
      {"mailbox passwd",
       "Give a mailbox a new password and print it: edits the domain's file",
       {kPostfixConfig, kJson},
       {name, {"USER", "What stands before the @"}},
       [options_of_mailbox](const Arguments& a) {
         return change_password(options_of_mailbox(a), a.operands()[0], a.operands()[1]);
       }},
      {"mailbox swap",
       "Change between mailboxes here and a feed to the customer's server: edits the "
       "domain's file",
       {kDryRun, kPostfixConfig},
       {name, {"mailbox|feed|backup", "The service from now on"}},
       [options_of_mailbox](const Arguments& a) {
         for (const Service service :
              {Service::mailbox, Service::feed, Service::backup}) {
           if (a.operands()[1] != to_string(service)) continue;
           return swap_service(options_of_mailbox(a), a.operands()[0], service,
                               a.has("--dry-run"));
         }
         throw CommandError(ExitCode::usage,
                            "mailbox swap: give mailbox, feed or backup");
       }},
      {"mailbox drain",
       "Deliver what the mailboxes of a domain hold to the customer's server",
       {kDryRun, kRate, kPostfixConfig, kJson},
       {name},
       [options_of_mailbox](const Arguments& a) {
         return drain_mailboxes(options_of_mailbox(a), a.operands()[0],
                                a.number("--rate").value_or(kFlushRate),
                                a.has("--dry-run"));
       }},
      {"mailbox standby",
       "Begin or end copies of waiting mail in mailboxes: edits the domain's file",
       {kPostfixConfig},
       {name, {"on|off", "Whether there are copies"}},
       [options_of_mailbox](const Arguments& a) {
         const std::string& word = a.operands()[1];
         if (word != "on" && word != "off") {
           throw CommandError(ExitCode::usage, "mailbox standby: give on or off");
         }
         return set_standby(options_of_mailbox(a), a.operands()[0], word == "on");
       }},
  };
}

std::vector<Command> greylist_list_commands() {
  static constexpr Option kDomain = {
      "--domain", "DOMAIN", "The list of this recipient domain, not of the gateway"};
  static constexpr Option kRemove = {"--remove", "", "Remove the entry"};
  const auto command = [](std::string_view name, std::string_view key,
                          std::string_view summary) {
    return Command{
        name,
        summary,
        {kDomain, kRemove},
        {{"ENTRY", "NETWORK, HOST, .HOST, USER@DOMAIN or @DOMAIN"}},
        [key](const Arguments& a) {
          return change_greylist_list({configuration_of(a), a.state(), std::string(key),
                                       a.operands()[0], a.text(kDomain.name).value_or(""),
                                       a.has(kRemove.name)});
        }};
  };
  return {command("greylist allow", "allow",
                  "Never greylist a sender: edits the configuration"),
          command("greylist deny", "deny",
                  "Always greylist a sender: edits the configuration")};
}

}  // namespace mxfeed
