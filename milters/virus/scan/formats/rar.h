// SPDX-License-Identifier: GPL-2.0-or-later
//
// The names of the files in a RAR archive, versions 1.5 to 5, and of those that are
// encrypted unless the names are encrypted, too.  Opens nothing.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

void examine_rar(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
