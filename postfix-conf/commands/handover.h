// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed dns` and `mxfeed handover`: what a customer gets to know.  They change nothing.

#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/command/exit_code.h"
#include "postfix-conf/verify/handover.h"

namespace mxfeed {

struct CustomerOptions {
  std::filesystem::path config;
  std::filesystem::path state;
  std::optional<std::filesystem::path> postfix_config;  // nothing: do not ask Postfix
  std::string domain;
};

// Prints the records to publish as lines of a zone file or as JSON.
ExitCode show_dns(const CustomerOptions& options, bool json);

enum class Format { text, html };

ExitCode print_handover(const CustomerOptions& options, MailSystem system, Format format);

}  // namespace mxfeed
