// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads DIR/mxfeed.toml and DIR/domains.d/*.toml, on all cores.  Warns of any other file
// in domains.d, unless it is hidden: its name begins with "." or "#", or ends in "~".

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>

#include "postfix-conf/config/config.h"

namespace mxfeed {

// Called as files are read, on the thread that calls load_config().
using Progress = std::function<void(std::size_t done, std::size_t of)>;

// Every error, also for unreadable files, is in Config::errors.
Config load_config(const std::filesystem::path& directory, const Progress& progress = {});

// Checks what concerns several keys or domains.  Called by load_config(); the domains
// must be in ascending order of name, those of equal name by place; `complete` is false
// if a file could not be read as TOML.
void check_config(Config& config, bool complete);

}  // namespace mxfeed
