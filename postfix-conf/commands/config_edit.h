// SPDX-License-Identifier: GPL-2.0-or-later
//
// Changes a file of the configuration, for commands that do so.

#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "postfix-conf/config/config.h"

namespace mxfeed {

// The configuration; throws CommandError if it has errors.
Config read_sound_config(const std::filesystem::path& directory);

// Writes the new text into the file, whose text was `before`, and returns the
// configuration as it is now.  If it has errors, or `is_right` does not find in it what
// was to be changed, the file gets its former text back: nothing.  What looks like a line
// of its own may be within a string.
std::optional<Config> edit_config(const std::filesystem::path& directory,
                                  const std::string& file, const std::string& before,
                                  const std::string& after,
                                  const std::function<bool(const Config&)>& is_right);

}  // namespace mxfeed
