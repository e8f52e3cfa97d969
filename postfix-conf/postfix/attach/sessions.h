// SPDX-License-Identifier: GPL-2.0-or-later
//
// The smtpd(8) processes of a Postfix.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mxfeed {

struct SmtpdProcess {
  std::string service;       // "smtp/inet"; empty while master(8) starts it
  bool has_filters = false;  // for as long as it lives
};

// The smtpd(8) processes of the Postfix with this queue_directory, and those processes
// that may become one.  Empty if it does not run.
std::vector<SmtpdProcess> smtpd_processes(const std::filesystem::path& queue);

}  // namespace mxfeed
