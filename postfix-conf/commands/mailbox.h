// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed mailbox`: mailboxes in which a customer reads mail while the server is away.
// Functions throw Fault and CommandError.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/command/exit_code.h"

namespace mxfeed {

struct MailboxOptions {
  std::filesystem::path config;          // --config
  std::filesystem::path state;           // --state, absolute
  std::filesystem::path postfix_config;  // --postfix-config, absolute
  bool json = false;
};

// The mailboxes that Dovecot serves, of one domain or, if it is empty, of all, and how
// much is in them.
ExitCode list_mailboxes(const MailboxOptions& options, const std::string& domain);

// Adds mailboxes to the domain in its file, with passwords made at random, and prints
// these: they are stored as hashes.  `from_recipients`: also one for each recipient that
// is known, by a list or in the queue.
ExitCode create_mailboxes(const MailboxOptions& options, const std::string& domain,
                          const std::vector<std::string>& users, bool from_recipients);

// Gives a mailbox a new password, and prints it.
ExitCode change_password(const MailboxOptions& options, const std::string& domain,
                         const std::string& user);

// Sets standby_mailboxes in the domain's file.
ExitCode set_standby(const MailboxOptions& options, const std::string& domain, bool on);

struct MailboxSetup {
  std::filesystem::path state;           // --state, absolute
  std::filesystem::path postfix_config;  // --postfix-config, absolute
  std::filesystem::path dovecot_config;  // the directory of dovecot.conf, absolute
  std::string user;                      // who owns the mailboxes
  bool dry_run = false;
};

// Writes Dovecot's file for the mailboxes, and shows what changes; Dovecot must like it,
// else the file is as before.
ExitCode set_up_mailboxes(const MailboxSetup& setup);

}  // namespace mxfeed
