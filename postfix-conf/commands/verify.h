// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed verify`: live checks of a domain's DNS records and of the customer's server.

#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/command/exit_code.h"
#include "common/mail/address.h"

namespace mxfeed {

struct VerifyOptions {
  std::filesystem::path config;
  std::filesystem::path state;
  std::string domain;     // empty: all domains
  std::string host;       // --host
  std::string recipient;  // an address that exists
  // Addresses of this host that the customers do not trust.
  std::optional<IpAddress> outside;
  // All domains: prints only what has changed since the last time, which is kept in
  // STATE/verify.
  bool only_changes = false;
  bool json = false;
};

// Exit status: fine, wrong if a check failed, try_later if one could not be made.  With
// only_changes: wrong if a check failed that did not fail the last time.
ExitCode verify(const VerifyOptions& options);

}  // namespace mxfeed
