// SPDX-License-Identifier: GPL-2.0-or-later
//
// ZIP archives as the programs that open them differ.  Some go by the last end record,
// some by another, some read local headers from the beginning; some take sizes and method
// from the central directory, some from the local header.
//
// An archive with one meaning for all of them is left to libclamav.  Of any other, each
// content that some program may get out is unpacked here, or the archive is unscannable.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

void examine_zip(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
