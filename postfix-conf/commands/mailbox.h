// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed mailbox`: mailboxes in which a customer reads mail while the server is away.
// Functions throw Fault and CommandError.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/command/exit_code.h"
#include "postfix-conf/config/config.h"

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

// Changes the domain's service in its file: from mailboxes here to a server of the
// customer's, or back.  Says what becomes of the mail; with `dry_run`, changes nothing.
ExitCode swap_service(const MailboxOptions& options, const std::string& domain,
                      Service service, bool dry_run);

// Delivers what the mailboxes of a domain hold to the customer's server, each message
// once and with its envelope, `rate` a second.  An interrupted one can be run again.
ExitCode drain_mailboxes(const MailboxOptions& options, const std::string& domain,
                         std::uint64_t rate, bool dry_run);

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
