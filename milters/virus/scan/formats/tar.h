// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is behind the end of a tar file, and a tar behind other data.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

// Whether it begins with the header of a file in a tar.
bool is_tar(std::string_view content);

// libclamav reads the files of a tar up to its end, which is a block of zeros.  Some
// programs go on behind it, as when several tars were put into one file (tar -i), and
// some find mail there.  What is there is a member, and so is what follows a header that
// is damaged.  A tar that has other data in front of it is one, too.
void examine_tar(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
