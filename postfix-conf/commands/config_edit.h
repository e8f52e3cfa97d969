// SPDX-License-Identifier: GPL-2.0-or-later
//
// Changes a file of the configuration, for commands that do so.

#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "postfix-conf/config/config.h"

namespace mxfeed {

// The configuration; throws CommandError if it has errors.
Config read_sound_config(const std::filesystem::path& directory);

// A domain whose settings a command changes.
struct EditedDomain {
  std::filesystem::path config;  // --config
  std::filesystem::path state;   // --state
  std::string name;              // as the operator gave it
};

// From the text of the domain's file to what it is to be; nothing if an operator must
// make the change.
using DomainTextEdit = std::function<std::optional<std::string>(
    const Config& config, const DomainConfig& domain, std::string_view text)>;

// Changes the file of the domain and returns the configuration as it is now, where
// `is_right` must find what was to be changed.  Throws CommandError, and nothing is
// changed then; `by_hand` says what to write instead.
Config edit_domain(const EditedDomain& edited, const DomainTextEdit& edit,
                   const std::function<bool(const DomainConfig&)>& is_right,
                   std::string_view by_hand);

// The text with the value for a key of [[domain]] that takes a value on one line.
std::optional<std::string> set_domain_value(std::string_view text,
                                            const DomainConfig& domain,
                                            std::string_view key, std::string_view value);

// The domain of that name; throws CommandError if it is not configured.
const DomainConfig& configured_domain(const Config& config, const std::string& name);

// Writes the new text into the file, whose text was `before`, and returns the
// configuration as it is now.  If it has errors, or `is_right` does not find in it what
// was to be changed, the file gets its former text back: nothing.  What looks like a line
// of its own may be within a string.
std::optional<Config> edit_config(const std::filesystem::path& directory,
                                  const std::string& file, const std::string& before,
                                  const std::string& after,
                                  const std::function<bool(const Config&)>& is_right);

}  // namespace mxfeed
