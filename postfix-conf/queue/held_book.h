// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the keeper remembers of refused mail: an SQLite database.  That a message is to be
// put on hold is written to the disk before it is done, so that what is on hold because
// of the keeper is always known.

#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/store/sqlite.h"
#include "postfix-conf/queue/plan.h"

namespace mxfeed {

// Functions throw Fault.
class HeldBook {
 public:
  // Creates the file if necessary and it may write.  Throws Fault if another version has
  // written it.
  HeldBook(const std::filesystem::path& file, Sqlite::Access access);

  // A message is `holding` from before it is touched until finish().
  void begin(const std::vector<PlannedStep>& steps, Time now);
  enum class Outcome {
    held,       // from now on
    released,   // somebody else has released it: it is handled anew
    discarded,  // deleted
    gone,       // somebody else has deleted it, or it has a new id
    not_held,   // it was not put on hold, or was released at once
  };
  void finish(const std::vector<std::string>& ids, Outcome outcome, Time now);
  // They are held, and about to be deleted.
  void begin_discard(const std::vector<std::string>& ids);
  // Those in which holding has begun, is in force or was ended by somebody else.
  std::map<std::string, Record, std::less<>> records() const;

  // Whether the sender of a message is verified, as far as that was read.
  std::optional<bool> is_verified(const std::string& id) const;
  void set_verified(const std::string& id, bool is_verified, Time now);

  // When the domain's server has refused mail that was not to end, last.
  std::optional<Time> spared(const std::string& domain) const;
  void set_spared(const std::string& domain, Time now);

  // Removes what has ended, after some weeks.
  void prune(Time now);

 private:
  const std::unique_ptr<Sqlite> opened_;
  Sqlite& database_;
};

}  // namespace mxfeed
