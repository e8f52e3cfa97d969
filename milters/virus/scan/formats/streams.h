// SPDX-License-Identifier: GPL-2.0-or-later
//
// Compressed streams.  libclamav reads the first one of a gzip, bzip2 or xz file, and no
// lzma, lzip or zstd; programs read all of them and put their contents together.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

void examine_streams(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
