// SPDX-License-Identifier: GPL-2.0-or-later
//
// `mxfeed test-mail`: one mail through everything to the customer's server, followed to
// its end.

#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "common/command/exit_code.h"

namespace mxfeed {

struct TestMailOptions {
  std::filesystem::path config;
  std::filesystem::path state;
  std::filesystem::path postfix_config;
  std::string domain;
  std::string host;       // --host
  std::string recipient;  // empty: postmaster of the domain
  std::chrono::seconds timeout{60};
  bool json = false;
};

// Exit status: fine if the customer's server took it; wrong if it was refused on the way;
// try_later if it still waits.
ExitCode test_mail(const TestMailOptions& options);

}  // namespace mxfeed
