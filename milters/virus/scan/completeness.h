// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether the engine looked into every part of a mail.
//
// libclamav reads MIME in its own way; where it and a mail program differ, a part may go
// unseen.  It shows each object that it scans, and our own walk
// (common/mail/mime/walker.h) yields each part that a mail program may find: a part of
// which no object has the content was missed and is given to the engine alone.
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

// How the parts to be given to the engine are chosen.
enum class FeedRule {
  none,    // the engine's word is taken
  exact,   // parts of which no object is equal byte by byte
  missed,  // the same, but text without its white space: what is in force
  all,     // every part
};

// A keyed digest of bytes that come in pieces.  Who does not know the key cannot make two
// contents of one digest.
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

// The digests of one content: as it is, and without white space.
struct Fingerprint {
  Digest exact;
  Digest loose;
  std::uint64_t size = 0;
  void add(std::string_view bytes);
};

// The objects that the engine showed.
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
  std::vector<std::size_t> to_feed;  // numbers of parts, rising
  std::size_t parts = 0;             // with content of their own
  bool partial = false;              // a message/partial: only a piece of a message
  mime::Anomalies anomalies;
};

// Walks through the mail and compares.
Inventory take_inventory(std::string_view mail, const Seen& seen, FeedRule rule);

// Walks again and gives out the decoded content of these parts; valid during the call
// only.  `use` returns whether to go on.
void for_each_part(std::string_view mail, const std::vector<std::size_t>& numbers,
                   const std::function<bool(std::string_view content)>& use);

}  // namespace mxfeed::virus
