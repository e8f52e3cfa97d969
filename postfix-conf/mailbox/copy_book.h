// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which queued messages have their copies in mailboxes, and since when a domain has
// standby mailboxes: an SQLite database.

#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/store/sqlite.h"

namespace mxfeed {

// Its file, in the keeper's directory.
inline constexpr const char* kCopyBook = "copies.db";

// Functions throw Fault.
class CopyBook {
 public:
  // Creates the file if necessary.  Throws Fault if another version has written it.
  explicit CopyBook(const std::filesystem::path& file);

  // Whether the recipient of the message has its copy.
  bool has(std::string_view id, std::string_view recipient);
  // They have them now.
  void note(const std::string& id, const std::vector<std::string>& recipients);
  // `listed` are the messages of the queue.  One that was not listed for a day is
  // forgotten: a listing may miss one that moves.
  void forget_gone(const std::set<std::string, std::less<>>& listed, Time now);

  // The domains that have standby mailboxes now.  Returns those whose have ended since
  // the last call.
  std::vector<std::string> set_domains(const std::set<std::string, std::less<>>& domains,
                                       Time now);
  // When they ended, by domain.
  std::map<std::string, Time> ended() const;
  // The mailboxes of the domain are no longer used, from now on.
  void note_ended(const std::string& domain, Time now);
  // With the copies of its mail, which are gone.
  void forget_domain(const std::string& domain);

 private:
  const std::unique_ptr<Sqlite> opened_;
  Sqlite& database_;
  SqliteStatement find_;
};

}  // namespace mxfeed
