// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed quarantine`: what mxfeed-quarantine holds.  The commands work on its store
// themselves, as its user.  Functions throw Fault and CommandError.

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/command/exit_code.h"
#include "postfix-conf/quarantine/store.h"

namespace mxfeed {

struct QuarantineOptions {
  std::filesystem::path state;           // --state, absolute
  std::filesystem::path postfix_config;  // --postfix-config, absolute
  std::string domain;
  bool json = false;
};

// Throws CommandError, which names the host, if another one holds the mail and nothing
// was held here before; a note says so if something was.
void check_held_here(const QuarantineOptions& options);

// What is held; with `ended`, also what is no longer; with `lessons`, what teaches the
// spam classifier instead, which is nobody's mail.
ExitCode list_held(const QuarantineOptions& options, bool ended, bool lessons);
ExitCode show_held(const QuarantineOptions& options, const std::string& id, bool content);
// `ids` are numbers, or "all".
ExitCode delete_held(const QuarantineOptions& options,
                     const std::vector<std::string>& ids);
// First ends the releases that were interrupted.  Messages with a virus only with
// `force`.
ExitCode release_held(const QuarantineOptions& options,
                      const std::vector<std::string>& ids, bool force);

// The mail of mailboxes (HeldKind::mailbox), that many messages a second.
ExitCode release_mailbox_mail(const QuarantineOptions& options, std::uint64_t rate);

// The items of the domain that the ids name, what is no longer held left out, which is
// `all_held`; throws CommandError for an id that the domain does not have.
std::vector<quarantine::Item> named_items(const quarantine::Store& store,
                                          const QuarantineOptions& options,
                                          const std::vector<std::string>& ids);

// What became of each item, as a table or as JSON.
class HeldReport {
 public:
  explicit HeldReport(bool json) : json_(json) {}
  // `problem` is empty if it was done.
  void add(const quarantine::Item& item, std::string_view done,
           const std::string& problem);
  // Prints it; wrong if there was a problem.
  ExitCode finish() const;

 private:
  struct Line {
    quarantine::Item item;
    std::string done, problem;
  };
  const bool json_;
  std::vector<Line> lines_;
};

}  // namespace mxfeed
