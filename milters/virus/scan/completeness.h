// SPDX-License-Identifier: GPL-2.0-or-later
//
// Checks that the engine has examined every part of a message.
//
// libclamav reads MIME in its own way; where it differs from a mail program, a part may
// go unseen.  It reports each object that it scans, and our own walk
// (common/mail/mime/walker.h) finds each part that a mail program may find.  If no object
// has the content of a part, the part was missed and is given to the engine separately.
//
// Text is compared without white space, since libclamav changes line ends and drops
// blanks there; all else byte by byte.  Measured by tests/bench/scan_completeness.
//
// No I/O; one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/mail/mime/walker.h"

namespace mxfeed::virus {

// Which parts are given to the engine separately.
enum class FeedRule {
  none,    // no part: the engine is trusted
  exact,   // parts that equal no object byte by byte
  missed,  // the same, but text is compared without white space: the default
  all,     // every part
};

// A keyed digest of bytes that come in pieces.  Without the key, nobody can make two
// contents with the same digest.
class Digest {
 public:
  void add(std::string_view bytes);
  std::uint64_t value() const;

 private:
  std::uint64_t state_ = 0;
  std::uint64_t length_ = 0;
  char rest_[8] = {};
  std::size_t held_ = 0;
};

// The digests of one content: unchanged, and without white space.
struct Fingerprint {
  Digest exact;
  Digest loose;
  std::uint64_t size = 0;
  void add(std::string_view bytes);
};

// The objects that the engine has reported.
class Seen {
 public:
  void add(std::string_view object);
  bool has_exact(const Fingerprint& part) const;
  bool has_loose(const Fingerprint& part) const;
  std::size_t count() const { return objects_; }

 private:
  std::unordered_set<std::uint64_t> exact_, loose_;
  std::size_t objects_ = 0;
};

struct Inventory {
  std::vector<std::size_t> to_feed;  // numbers of parts, ascending
  std::size_t parts = 0;             // with content of their own
  bool partial = false;  // there is a message/partial: only a piece of a message
  mime::Anomalies anomalies;
};

// Walks through the message and compares.
Inventory take_inventory(std::string_view mail, const Seen& seen, FeedRule rule);

// Walks again and calls `use` with the decoded content of these parts, valid during the
// call only.  `use` returns whether to continue.
void for_each_part(std::string_view mail, const std::vector<std::size_t>& numbers,
                   const std::function<bool(std::string_view content)>& use);

}  // namespace mxfeed::virus
