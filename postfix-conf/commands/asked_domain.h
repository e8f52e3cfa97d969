// SPDX-License-Identifier: GPL-2.0-or-later
//
// The domain that a command is about.

#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "postfix-conf/config/config.h"

namespace mxfeed {

struct AskedDomain {
  Config config;               // without errors
  const DomainConfig* domain;  // in it: the one asked for, or the parent that includes it
};

// Nothing, and the cause on standard error, if the configuration in `directory` has
// errors or does not have the domain; then also what the generation in force does with
// it.
std::optional<AskedDomain> ask_domain(const std::filesystem::path& directory,
                                      const std::filesystem::path& state,
                                      const std::string& name);

}  // namespace mxfeed
