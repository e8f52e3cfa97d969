// SPDX-License-Identifier: GPL-2.0-or-later
//
// The commands that change what is in force.  Each returns its exit status: 0 if it is
// done, 75 if another mxfeed is making changes, others as in exit_code.h.  They print
// what they do on standard output and problems on standard error; they throw Fault.  If
// the generation in force is damaged, they warn and write a new one.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "postfix-conf/config/config.h"
#include "postfix-conf/generate/site.h"

namespace mxfeed {

struct ApplyOptions {
  std::filesystem::path config;          // --config
  std::filesystem::path state;           // --state, absolute
  std::filesystem::path postfix_config;  // --postfix-config, absolute
  bool use_postfix = true;               // --no-postfix
  bool use_dns = true;                   // --no-dns
  std::string host;                      // --host, or empty
  bool dry_run = false;
  bool diff = false;
  std::uint64_t allow_removals = 0;
  std::uint64_t allow_recipient_removals = 0;
  bool json = false;  // standard output is one object
};

int apply(const ApplyOptions& options);
// Adapts the generation in force to the site: writes a new one if it differs, and puts it
// in force.
int fit_generation(const ApplyOptions& options, const Site& site);
// Writes the generation in force anew, as of now (removal_grace may have ended), with
// these lists of the recipients of domains that have lists there, and puts it in force.
int renew_generation(const ApplyOptions& options, const RecipientLists& lists);
// Without a number, goes back to what was in force before.
int rollback(const ApplyOptions& options, std::optional<std::uint64_t> number);

}  // namespace mxfeed
