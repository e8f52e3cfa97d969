// SPDX-License-Identifier: GPL-2.0-or-later
//
// 7z archives (7zFormat.txt of the LZMA SDK): the coders of each folder.  libclamav reads
// some combinations of them only and skips others without a word; such an archive is
// unscannable here.  Headers are read, contents are not.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

void examine_seven_zip(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
