// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads DIR/mxfeed.toml and DIR/domains.d/*.toml, on all cores.  In domains.d any other
// file is warned of, unless its name is hidden: begins with "." or "#", or ends in "~".

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>

#include "postfix-conf/config/config.h"

namespace mxfeed {

// Told of files as they are read, on the thread that loads.
using Progress = std::function<void(std::size_t done, std::size_t of)>;

// Everything that is wrong, unreadable files included, is in Config::errors.
Config load_config(const std::filesystem::path& directory, const Progress& progress = {});

// Checks what concerns several keys or domains.  Part of load_config(); the domains are
// in rising order of name, those of equal name by place; `complete` is false if a file
// could not be read as TOML.
void check_config(Config& config, bool complete);

}  // namespace mxfeed
