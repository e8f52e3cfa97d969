// SPDX-License-Identifier: GPL-2.0-or-later
//
// The signature files on disk: whether they have changed, and how old they are.

#pragma once

#include <filesystem>
#include <string>

#include "common/base/clock.h"

namespace mxfeed::virus {

struct DatabaseState {
  // Name, size, time of change and inode of every signature file.  libclamav's own check
  // does not notice removed files and compares whole seconds only.
  std::string fingerprint;  // empty if there is no signature file
  Time newest{};            // when the newest file was changed
  bool operator==(const DatabaseState&) const = default;
};

// `path` is a file or a directory.  A file that cannot be read is ignored here; loading
// reports it.
DatabaseState look_at_database(const std::filesystem::path& path);

}  // namespace mxfeed::virus
