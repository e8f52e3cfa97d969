// SPDX-License-Identifier: GPL-2.0-or-later
//
// The files that `mxfeed init` writes, and what it tells to do next.  Pure.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/mail/address.h"

namespace mxfeed {

// What is known of the host and its Postfix.
struct HostFacts {
  std::string name;                  // lower case; may lack a domain
  std::vector<IpAddress> addresses;  // public ones only

  std::string postfix_fault;  // why Postfix could not be examined; empty: it was
  bool has_cdb = false;
  bool listens_on_loopback_only = false;
  std::vector<std::string> other_uses;  // see other_uses.h
  std::vector<std::string> milters;     // items of smtpd_milters

  std::string database;  // where signatures are looked for
  bool has_signatures = false;

  bool has_full_name() const;
  bool is_dedicated() const { return postfix_fault.empty() && other_uses.empty(); }
};

// The text of mxfeed.toml.
std::string first_gateway_file(const HostFacts& host);

// The text of domains.d/example.toml: all of it is commented out.
std::string first_domain_file();

// What is missing and what to do, in lines.  `config` is the directory.
std::string next_steps(const HostFacts& host, const std::filesystem::path& config);

}  // namespace mxfeed
