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
  bool json = false;
};

// Exit status: fine, wrong if a check failed, try_later if one could not be made.
ExitCode verify(const VerifyOptions& options);

}  // namespace mxfeed
