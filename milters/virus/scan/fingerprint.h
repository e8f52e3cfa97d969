// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tells contents apart without keeping them.  No I/O; one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_set>

namespace mxfeed::virus {

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
  // `as_mail`: the engine has read it as a message.
  void add(std::string_view object, bool as_mail = false);
  bool has_exact(const Fingerprint& part) const;
  bool has_loose(const Fingerprint& part) const;
  bool has_mail(const Fingerprint& part) const;
  std::size_t count() const { return objects_; }

 private:
  std::unordered_set<std::uint64_t> exact_, loose_, mail_;
  std::size_t objects_ = 0;
};

}  // namespace mxfeed::virus
