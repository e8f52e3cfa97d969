// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "common/base/text.h"
#include "postfix-conf/commands/apply.h"
#include "postfix-conf/commands/common_options.h"
#include "postfix-conf/commands/handover.h"
#include "postfix-conf/commands/init.h"
#include "postfix-conf/commands/keeper.h"
#include "postfix-conf/commands/listing.h"
#include "postfix-conf/commands/postfix_attach.h"
#include "postfix-conf/commands/quarantine.h"
#include "postfix-conf/commands/queue.h"
#include "postfix-conf/commands/queue_extend.h"
#include "postfix-conf/commands/status.h"
#include "postfix-conf/commands/test_mail.h"
#include "postfix-conf/commands/verify.h"

namespace mxfeed {
namespace {

constexpr Option kDiff = {"--diff", "", "Print the changes"};
constexpr Option kAllowRemovals = {"--allow-removals", "N",
                                   "Allow the removal of up to N domains", Takes::number};
constexpr Option kAllowRecipientRemovals = {
    "--allow-recipient-removals", "N",
    "Allow lists that commands print to lose up to N recipients", Takes::number};
constexpr Option kNoDns = {"--no-dns", "", "Do not look up the servers given by name"};
constexpr Option kNoPostfix = {"--no-postfix", "", "Do not run Postfix's commands"};
constexpr Option kFor = {"--for", "SYSTEM",
                         "Add the steps for exchange, m365, google or postfix"};
constexpr Option kFrom = {
    "--from", "ADDRESS", "Also try from this address, which the customer does not trust"};
constexpr Option kTo = {"--to", "ADDRESS", "A recipient that exists"};
constexpr Option kTimeout = {"--timeout", "SECONDS", "How long to follow it",
                             Takes::number, "60"};
constexpr Option kAll = {"--all", "", "Verify all domains"};
constexpr Option kChanges = {
    "--changes", "", "With --all: print only what has changed since the last time"};
constexpr Option kHtml = {"--html", "", "Print HTML"};
constexpr Option kAllowExpiry = {"--allow-expiry", "N",
                                 "Allow up to N messages to expire", Takes::number};
constexpr Option kUntil = {"--until", "TIME",
                           "A time with a time zone, 2026-12-05T18:00:00+01:00"};
constexpr Option kEnded = {"--ended", "", "Also list what is no longer held"};
constexpr Option kLessons = {"--lessons", "",
                             "List traps and reports of spam, which teach, instead"};
constexpr Option kContent = {"--content", "", "Print the message as it came instead"};
constexpr Option kForce = {"--force", "", "Also deliver messages with a virus"};
constexpr Option kHost = {"--host", "NAME", "Use this [[host]] as the local one"};

// Postfix treats blanks and commas in a map's path as separators.
bool is_plain_path(std::string_view path) {
  return std::all_of(path.begin(), path.end(), [](char c) {
    return is_letter(c) || is_digit(c) ||
           std::string_view("/._-+@%=").find(c) != std::string_view::npos;
  });
}

std::optional<std::filesystem::path> postfix_to_ask(const Arguments& arguments) {
  if (arguments.has("--no-postfix")) return std::nullopt;
  return postfix_config_of(arguments);
}

ApplyOptions options_of(const Arguments& arguments) {
  ApplyOptions options;
  options.config = arguments.config();
  options.state = arguments.state();
  options.postfix_config = postfix_config_of(arguments);
  options.use_postfix = !arguments.has("--no-postfix");
  options.use_dns = !arguments.has("--no-dns");
  options.host = arguments.text("--host").value_or("");
  options.dry_run = arguments.has("--dry-run");
  options.diff = arguments.has("--diff");
  options.json = arguments.json();
  options.allow_removals = arguments.number("--allow-removals").value_or(0);
  options.allow_recipient_removals =
      arguments.number(kAllowRecipientRemovals.name).value_or(0);
  if (!is_plain_path(options.state.string())) {
    throw CommandError(
        ExitCode::usage,
        fmt::format("--state: {}: Postfix does not allow blanks, commas or "
                    "similar characters in a path",
                    escape_untrusted(options.state.string())));
  }
  return options;
}

AttachOptions attach_options_of(const Arguments& arguments) {
  return {arguments.config(), arguments.state(), postfix_config_of(arguments),
          arguments.has("--dry-run"), arguments.json()};
}

CustomerOptions customer_options_of(const Arguments& arguments) {
  return {configuration_of(arguments), arguments.state(), postfix_to_ask(arguments),
          arguments.operands()[0]};
}

// What --to names, or nothing.
std::string recipient_of(const Arguments& arguments) {
  const auto recipient = arguments.text(kTo.name).value_or("");
  const auto is_part = [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '<' && c != '>';
  };
  if (!std::all_of(recipient.begin(), recipient.end(), is_part)) {
    throw CommandError(ExitCode::usage, fmt::format("--to: \"{}\" is not an address",
                                                    escape_untrusted(recipient)));
  }
  return recipient;
}

VerifyOptions verify_options_of(const Arguments& arguments) {
  VerifyOptions options;
  options.config = configuration_of(arguments);
  options.state = arguments.state();
  options.host = arguments.text(kHost.name).value_or("");
  options.recipient = recipient_of(arguments);
  options.json = arguments.json();
  const auto& operands = arguments.operands();
  if (operands.empty() != arguments.has(kAll.name)) {
    throw CommandError(ExitCode::usage, "verify: name a domain, or give --all");
  }
  options.only_changes = arguments.has(kChanges.name);
  if (options.only_changes && !operands.empty()) {
    throw CommandError(ExitCode::usage, "verify: --changes needs --all");
  }
  if (!operands.empty()) options.domain = operands[0];
  if (const auto from = arguments.text(kFrom.name)) {
    options.outside = IpAddress::parse(*from);
    if (!options.outside) {
      throw CommandError(ExitCode::usage,
                         fmt::format("verify: --from: \"{}\" is not an IP address",
                                     escape_untrusted(*from)));
    }
  }
  return options;
}

// The longest wait of `mxfeed test-mail`.
constexpr std::uint64_t kMostTimeout = 86'400;

TestMailOptions test_mail_options_of(const Arguments& arguments) {
  TestMailOptions options;
  options.config = configuration_of(arguments);
  options.state = arguments.state();
  options.postfix_config = postfix_config_of(arguments);
  options.domain = arguments.operands()[0];
  options.host = arguments.text(kHost.name).value_or("");
  options.recipient = recipient_of(arguments);
  options.json = arguments.json();
  if (const auto timeout = arguments.number(kTimeout.name)) {
    options.timeout = std::chrono::seconds(std::min(*timeout, kMostTimeout));
  }
  return options;
}

MailSystem mail_system_of(const Arguments& arguments) {
  const auto text = arguments.text(kFor.name);
  if (!text) return MailSystem::any;
  const auto system = parse_mail_system(*text);
  if (!system) {
    throw CommandError(ExitCode::usage,
                       fmt::format("--for: \"{}\" is not one of exchange, m365, google, "
                                   "postfix",
                                   escape_untrusted(*text)));
  }
  return *system;
}

QuarantineOptions quarantine_options_of(const Arguments& arguments) {
  return {arguments.state(), postfix_config_of(arguments), arguments.operands()[0],
          arguments.json()};
}

std::vector<std::string> held_ids_of(const Arguments& arguments) {
  const auto& operands = arguments.operands();
  return {operands.begin() + 1, operands.end()};
}

QueueOptions queue_options_of(const Arguments& arguments) {
  return {arguments.config(), arguments.state(), postfix_config_of(arguments),
          arguments.json()};
}

}  // namespace

std::vector<Command> gateway_commands() {
  return {
      {"init",
       "Write a first configuration for this host, and tell what to do next",
       {kPostfixConfig},
       {},
       [](const Arguments& a) {
         return init(
             {absolute_path(a.config().string()), a.state(), postfix_config_of(a)});
       }},
      {"check",
       "Check the configuration and report dangerous states",
       {kJson, kNoPostfix, kPostfixConfig},
       {},
       [](const Arguments& a) {
         return check({configuration_of(a), a.state(), postfix_to_ask(a), a.json()});
       }},
      {"apply",
       "Check the configuration, write a generation, put it in force and verify it",
       {kDryRun, kDiff, kAllowRemovals, kAllowRecipientRemovals, kHost, kNoDns,
        kNoPostfix, kPostfixConfig, kJson},
       {},
       [](const Arguments& a) {
         configuration_of(a);
         return ExitCode{apply(options_of(a))};
       }},
      {"rollback",
       "Go back to an earlier generation",
       {kDryRun, kDiff, kAllowRemovals, kNoPostfix, kPostfixConfig, kJson},
       {{"N", "The number of the generation; by default the previous one", Takes::number,
         Operand::Count::at_most_one}},
       [](const Arguments& a) {
         const auto& operands = a.operands();
         return ExitCode{rollback(options_of(a), operands.empty()
                                                     ? std::nullopt
                                                     : parse_unsigned(operands[0]))};
       }},
      {"postfix diff",
       "Print what attaching changes in main.cf and master.cf",
       {kPostfixConfig, kJson},
       {},
       [](const Arguments& a) { return show_postfix_diff(attach_options_of(a)); }},
      {"postfix attach",
       "Make a Postfix use the generation in force, if there is no conflict",
       {kDryRun, kPostfixConfig, kJson},
       {},
       [](const Arguments& a) { return attach_postfix(attach_options_of(a)); }},
      {"postfix detach",
       "Take that back, the routes last, when no mail waits",
       {kDryRun, kPostfixConfig, kJson},
       {},
       [](const Arguments& a) { return detach_postfix(attach_options_of(a)); }},
      {"postfix status",
       "Show whether Postfix is attached, and what is dangerous",
       {kPostfixConfig, kJson},
       {},
       [](const Arguments& a) { return show_postfix_status(attach_options_of(a)); }},
      {"generations",
       "List the generations",
       {kJson},
       {},
       [](const Arguments& a) { return list_generations(a.state(), a.json()); }},
      {"show",
       "Show the effective policy of a domain and where each setting comes from",
       {kJson},
       {{"DOMAIN", "The domain"}},
       [](const Arguments& a) {
         return show(configuration_of(a), a.state(), a.operands()[0], a.json());
       }},
      {"dns",
       "Print the DNS records to publish for a domain, as lines of a zone file",
       {kNoPostfix, kPostfixConfig, kJson},
       {{"DOMAIN", "The domain"}},
       [](const Arguments& a) { return show_dns(customer_options_of(a), a.json()); }},
      {"handover",
       "Print the sheet for the customer: records, addresses, settings, duties, tests",
       {kFor, kHtml},
       {{"DOMAIN", "The domain"}},
       [](const Arguments& a) {
         return print_handover(customer_options_of(a), mail_system_of(a),
                               a.has(kHtml.name) ? Format::html : Format::text);
       }},
      {"verify",
       "Try out a domain's DNS records and the customer's server, and say what to change",
       {kAll, kChanges, kTo, kFrom, kHost, kJson},
       {{"DOMAIN", "The domain", Takes::text, Operand::Count::at_most_one}},
       [](const Arguments& a) { return verify(verify_options_of(a)); }},
      {"test-mail",
       "Send one mail through everything to the customer's server, and follow it",
       {kTo, kTimeout, kHost, kPostfixConfig, kJson},
       {{"DOMAIN", "The domain"}},
       [](const Arguments& a) { return test_mail(test_mail_options_of(a)); }},
      {"queue",
       "Show what waits by domain, or the messages for a domain",
       {kPostfixConfig, kJson},
       {{"DOMAIN", "The domain", Takes::text, Operand::Count::at_most_one}},
       [](const Arguments& a) {
         const auto& operands = a.operands();
         return show_queue(queue_options_of(a), operands.empty() ? "" : operands[0]);
       }},
      {"queue flush",
       "Have Postfix try the deferred mail for a domain again, in portions",
       {kRate, kPostfixConfig},
       {{"DOMAIN", "The domain"}},
       [](const Arguments& a) {
         return flush_queue(queue_options_of(a), a.operands()[0],
                            a.number("--rate").value_or(kFlushRate));
       }},
      {"queue extend",
       "Keep the mail for a domain at least until then: edits the domain's file",
       {kUntil, kPostfixConfig},
       {{"DOMAIN", "The domain"}},
       [](const Arguments& a) {
         const auto until = a.text("--until");
         if (!until) throw CommandError(ExitCode::usage, "--until: is missing");
         configuration_of(a);
         return extend_queue(queue_options_of(a), a.operands()[0], *until);
       }},
      {"quarantine list",
       "List what is held for a domain",
       {kEnded, kLessons, kJson},
       {{"DOMAIN", "The domain"}},
       [](const Arguments& a) {
         return list_held(quarantine_options_of(a), a.has(kEnded.name),
                          a.has(kLessons.name));
       }},
      {"quarantine show",
       "Show one held message: its envelope and header",
       {kContent, kJson},
       {{"DOMAIN", "The domain"}, {"ID", "Its number"}},
       [](const Arguments& a) {
         return show_held(quarantine_options_of(a), a.operands()[1],
                          a.has(kContent.name));
       }},
      {"quarantine release",
       "Deliver what is held, past all filters",
       {kForce, kPostfixConfig, kJson},
       {{"DOMAIN", "The domain"},
        {"ID", "Its number, or \"all\"", Takes::text, Operand::Count::at_least_one}},
       [](const Arguments& a) {
         return release_held(quarantine_options_of(a), held_ids_of(a),
                             a.has(kForce.name));
       }},
      {"quarantine delete",
       "Delete what is held",
       {kJson},
       {{"DOMAIN", "The domain"},
        {"ID", "Its number, or \"all\"", Takes::text, Operand::Count::at_least_one}},
       [](const Arguments& a) {
         return delete_held(quarantine_options_of(a), held_ids_of(a));
       }},
      {"keeper run",
       "Expire mail that has waited for its lifetime, and tell before it happens",
       {kAllowExpiry, kDryRun, kPostfixConfig},
       {},
       [](const Arguments& a) {
         return run_keeper({a.config(), a.state(), postfix_config_of(a),
                            a.number("--allow-expiry").value_or(0), a.has("--dry-run")},
                           read_host_clock());
       }},
      {"status",
       "Show the state of all parts and report dangerous states",
       {kJson, kNoPostfix, kPostfixConfig},
       {},
       [](const Arguments& a) {
         return show_status({a.config(), a.state(), postfix_to_ask(a), a.json()});
       }},
  };
}

}  // namespace mxfeed
