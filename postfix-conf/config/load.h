// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads DIR/mxfeed.toml and DIR/domains.d/*.toml, and what [source] says, on all cores.
// Warns of any other file in domains.d, unless it is hidden: its name begins with "." or
// "#", or ends in "~".

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "postfix-conf/config/config.h"
#include "postfix-conf/config/source_rows.h"

namespace mxfeed {

// Called as files are read, on the thread that calls load_config().
using Progress = std::function<void(std::size_t done, std::size_t of)>;

// What the command of [source] says; called if there is one.  The rows stay valid until
// the next call.
using AskSource = std::function<SourceText(const std::vector<std::string>& command)>;

// Every error, also for unreadable files, is in Config::errors.  Without `ask` the
// domains of [source] are left out.
Config load_config(const std::filesystem::path& directory, const Progress& progress = {},
                   const AskSource& ask = {});

// Checks what concerns several keys or domains.  Called by load_config(); the domains
// must be in ascending order of name, those of equal name by place; `complete` is false
// if a file could not be read as TOML.
void check_config(Config& config, bool complete);

}  // namespace mxfeed
