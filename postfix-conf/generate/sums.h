// SPDX-License-Identifier: GPL-2.0-or-later
//
// The file "sums" of a generation: the BLAKE2b digest of each other file, in the format
// of `b2sum -l 256 -c sums`.  It distinguishes damage from files of an older or newer
// version.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mxfeed {

void write_sums(const std::filesystem::path& directory,
                const std::vector<std::string>& files);

// Throws Fault if one of the files is not as it was written.  Returns false, without a
// check, if there are no sums, as in generations of version 0.1.0.
bool check_sums(const std::filesystem::path& directory,
                const std::vector<std::string>& files);

}  // namespace mxfeed
