// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files of Microsoft's compress.exe ("SZDD"), which 7-Zip and Windows' expand open.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

// libclamav goes on behind the end of the file if other data follow it; the member has
// the size that the header names.
void examine_szdd(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
