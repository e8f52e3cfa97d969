// SPDX-License-Identifier: GPL-2.0-or-later
//
// Encrypted documents of Microsoft Office, in a compound file ([MS-CFB]): the package of
// the newer programs ([MS-OFFCRYPTO] 2.3.4), and documents (*.doc), tables (*.xls) and
// slides (*.ppt) of the older ones.
//
// All directory entries count, also those that no chain leads to.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

void examine_office(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
