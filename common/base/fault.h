// SPDX-License-Identifier: GPL-2.0-or-later
//
// A Fault is a failure of ours or of something we depend on: a full disk, a lost Redis, a
// broken database.  What a peer or a user may cause (an unknown key, a malformed header,
// an infected message) is an outcome and is returned, never thrown.

#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mxfeed {

class Fault : public std::runtime_error {
 public:
  // Reads "<doing>: <subject>: <cause>", e.g.
  // "commit greylist record: /var/lib/mxfeed/greylist.db: disk full".
  Fault(std::string_view doing, std::string_view subject, std::string_view cause);

  // The cause alone, for messages that name the subject themselves; valid as long as the
  // Fault.
  std::string_view cause() const;

 private:
  std::size_t cause_at_;  // in what()
};

// The text of an errno value; thread-safe.
std::string errno_text(int error);

}  // namespace mxfeed
