// SPDX-License-Identifier: GPL-2.0-or-later
//
// The times of the files in Postfix's queue directory.

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/clock.h"
#include "postfix-conf/queue/plan.h"

namespace mxfeed {

class Spool {
 public:
  // Reads deferred/ and defer/ below the directory.  Throws Fault if they cannot be read;
  // files that vanish meanwhile do not matter.
  explicit Spool(const std::filesystem::path& queue_directory);

  // The end of the last attempt is the time when its defer log was written or, if that is
  // earlier, when the file was put into deferred/: either may be touched without an
  // attempt.  qmgr(8) removes the log when a delivery round begins.
  Attempts attempts(const std::string& id) const;

 private:
  std::unordered_map<std::string, Attempts> attempts_;
};

// When the Postfix with that queue directory was started; nothing if it is not running.
std::optional<Time> postfix_started(const std::filesystem::path& queue_directory);

}  // namespace mxfeed
