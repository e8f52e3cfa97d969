// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where what is known of recipients is kept.  A store knows nothing of the rules
// (knowledge.h), but for when an entry expires.

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "postfix-conf/recipients/knowledge.h"
#include "postfix-conf/recipients/policy_request.h"

namespace mxfeed::recipients {

// Thread-safe.  All throw Fault if the store is damaged, full or too slow.  A damaged one
// is set aside, and the next call starts a new one.
class Store {
 public:
  virtual ~Store() = default;

  // Does not wait for update() and sweep().
  virtual Knowledge find(const Recipient& recipient) = 0;

  // Replaces what is known by what `step` makes of it, and returns that.  No other writer
  // comes between; `step` may be called again for that.
  using Step = std::function<Knowledge(Knowledge)>;
  virtual Knowledge update(const Recipient& recipient, const Step& step) = 0;

  // The key of the address of the domain that was accepted last, but not `recipient`.
  virtual std::optional<std::string> accepted_neighbour(const Recipient& recipient) = 0;

  // Removes some of the entries expired at `now`, and if the store is too large some of
  // those that expire next; returns how many.  Takes little time; to be called often.
  virtual std::size_t sweep(Time now) = 0;
};

// `most_bytes`: about how much the entries may take.
std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file,
                                         std::int64_t most_bytes = std::int64_t{1} << 30);

// Logs and counts that a store could not be used.
void complain(const Fault& fault);

}  // namespace mxfeed::recipients
