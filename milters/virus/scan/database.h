// SPDX-License-Identifier: GPL-2.0-or-later
//
// The signature files as they lie on disk: whether they changed, and how old they are.

#pragma once

#include <filesystem>
#include <string>

#include "common/base/clock.h"

namespace mxfeed::virus {

struct DatabaseState {
  // Name, size, time of change and inode of every signature file.  libclamav's own check
  // does not see removed files and compares whole seconds.
  std::string fingerprint;  // empty: no signature file
  Time newest{};            // when the youngest file was changed
  bool operator==(const DatabaseState&) const = default;
};

// `path` is a file or a directory.  A file that cannot be read is left out here; loading
// reports it.
DatabaseState look_at_database(const std::filesystem::path& path);

}  // namespace mxfeed::virus
