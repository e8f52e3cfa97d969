// SPDX-License-Identifier: GPL-2.0-or-later
//
// Compressed streams.  libclamav reads the first one of a gzip or bzip2 file, not every
// xz, and no lzma, lzip or zstd; programs read all of them and put their contents
// together.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

// The mark of a stream of LZ4, which archive.h opens.
inline constexpr std::string_view kLz4 = "\x04\x22\x4d\x18";

// Without the frames at the beginning that Zstandard and LZ4 skip (RFC 8878, 3.1.2);
// nothing if one is cut off.
std::string_view past_skippable(std::string_view content);

void examine_streams(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
