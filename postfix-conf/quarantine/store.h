// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is held: the content of each message in a file, and a row for each recipient in an
// SQLite database.  The directory:
//
//   quarantine.db
//   messages/NAME   the content as it came, its lines ended by CRLF
//
// A file is written and synchronised before the rows that name it are committed, and
// removed after the last of them is no longer live; a file that no live row names is left
// over from a crash.  Rows that have ended are kept for some months: what Postfix
// delivers again, since it did not get our answer, must not be held again.
//
// All functions throw Fault.  Several processes may use a store at once.

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/store/sqlite.h"
#include "postfix-conf/quarantine/dialog.h"

namespace mxfeed::quarantine {

enum class Standing : std::uint8_t {
  held,
  releasing,  // is being handed to Postfix, perhaps it has been
  released,   // Postfix has it
  deleted,    // by the operator
  expired,    // its time was over
  displaced,  // the domain had more than its quota
  learned,    // mxfeed-spam has learned from it
};
std::string_view to_string(Standing standing);

// A message held for a recipient.
struct Item {
  std::int64_t id = 0;
  HeldAddress address;
  std::string sender;
  bool eight_bit = false;
  bool smtputf8 = false;
  std::string file;  // in messages/
  std::uint64_t size = 0;
  Time arrived{};
  Standing standing = Standing::held;
  Time since{};          // when it got this standing
  std::string receipt;   // the token of its release, once that has begun
  std::string queue_id;  // that Postfix gave it when it was released

  bool is_live() const {
    return standing == Standing::held || standing == Standing::releasing;
  }
};

// The content of a message that is coming in.  Removed again unless it is kept.
class Content {
 public:
  explicit Content(const std::filesystem::path& directory);
  ~Content();
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;

  void add(std::string_view octets);

 private:
  friend class Store;
  void synchronise();

  const std::filesystem::path directory_;
  std::string name_;
  Fd fd_;
  std::uint64_t size_ = 0;
  bool is_kept_ = false;
};

class Store {
 public:
  // Without read_write nothing is created.
  Store(std::filesystem::path directory, Sqlite::Access access);

  std::unique_ptr<Content> new_content() const;
  // Holds the message for each recipient that does not have it yet.  Returns how many are
  // new.  When it returns, all of them survive a crash of the host.
  std::size_t keep(const Arrival& arrival, std::unique_ptr<Content> content, Time now);
  // Postfix has taken what the receipt is for.  Nothing happens if it is unknown.
  void note_receipt(const std::string& token, Time now);

  std::optional<Item> find(std::int64_t id) const;
  // In the order of arrival; empty for all domains.
  void each(const std::string& domain, const std::function<void(const Item&)>& see) const;
  // Live ones that are being released.
  std::vector<Item> unfinished() const;
  // Held ones that teaches() is true of, the oldest first, behind the first `skipped`.
  std::vector<Item> lessons(std::size_t most, std::size_t skipped = 0) const;
  std::filesystem::path content_of(const Item& item) const;

  // From held to releasing; false if it is no longer held.
  bool begin_release(std::int64_t id, const std::string& receipt, Time now);
  // It is begun again, with another receipt; false if the item is no longer that one.
  bool renew_release(const Item& item, const std::string& receipt, Time now);
  // From releasing.
  void finish_release(std::int64_t id, const std::string& queue_id, Time now);
  // Back to held: Postfix does not have it.
  void undo_release(std::int64_t id, Time now);
  // From held; false if it is no longer held.
  bool remove(std::int64_t id, Standing standing, Time now);

  struct Limits {
    std::chrono::seconds keep{};
    std::uint64_t quota = 0;  // bytes, lessons not counted; 0: none
  };
  // Ends what is held for longer than its domain wants, and the oldest of each domain
  // that has more, but never the mail of mailboxes.  At most some at once: returns
  // whether there may be more.
  bool expire(const std::function<Limits(const std::string& domain)>& limits_of,
              Time now);
  // Removes files that no live row names and that nobody has written to for an hour: what
  // comes in has no row yet.
  std::size_t remove_leftovers(Time now);

  struct Totals {
    std::uint64_t messages = 0, bytes = 0;
  };
  Totals totals() const;

 private:
  bool end(std::int64_t id, Standing from, Standing to, Time now);
  void remove_if_unused(const std::string& file);
  std::size_t expire_old(const std::string& domain, Time latest, Time now);
  std::size_t displace(const std::string& domain, std::uint64_t quota, Time now);
  bool is_there(const std::string& file) const;

  const std::filesystem::path directory_;
  const std::unique_ptr<Sqlite> opened_;
  Sqlite& database_;
};

}  // namespace mxfeed::quarantine
