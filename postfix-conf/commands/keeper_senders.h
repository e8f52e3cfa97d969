// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether the sender of a queued message is verified: what our filters have written into
// the message when it was received.

#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "postfix-conf/queue/held_book.h"

namespace mxfeed {

// Reads the header of each message at most once; remembers the answers in the book.
class KeeperSenders {
 public:
  // One run reads the headers of so many messages, and for so long; of the others it is
  // not known.
  static constexpr std::size_t kMostRead = 1000;
  static constexpr std::chrono::seconds kMostTime{20};

  // `postfix_config` is the directory of main.cf.  The book must outlive the object; it
  // is only read unless `remembers`.
  KeeperSenders(std::filesystem::path postfix_config, HeldBook& book, bool remembers,
                Time now)
      : config_(std::move(postfix_config)),
        book_(book),
        remembers_(remembers),
        now_(now) {}

  // Nothing if it is not known now.  Throws Fault if the book cannot be read.
  std::optional<bool> is_verified(const std::string& id);

 private:
  std::optional<bool> read(const std::string& id) const;

  const std::filesystem::path config_;
  HeldBook& book_;
  const bool remembers_;
  const Time now_;
  std::size_t read_ = 0;
  std::optional<std::chrono::steady_clock::time_point> started_;
};

}  // namespace mxfeed
