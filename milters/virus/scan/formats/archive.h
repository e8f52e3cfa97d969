// SPDX-License-Identifier: GPL-2.0-or-later
//
// Archives and compressed files that libclamav does not open: libarchive opens ar
// (*.deb), WARC, LHA, RPM, lz4, compress(1) and the compressed files of ISO images.
// Images of disks and file systems that nothing here opens are unscannable, and so is an
// archive that libarchive cannot read to its end.

#pragma once

#include <string_view>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

void examine_archive(std::string_view content, Findings& findings);

}  // namespace mxfeed::virus
