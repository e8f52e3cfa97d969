// SPDX-License-Identifier: GPL-2.0-or-later
//
// The contents that our own readers found in one message (formats/examine.h) and that are
// still to be scanned.
//
// Bounded: what is too deep, too much or too large makes the message unscannable.  Equal
// contents are kept once, so an archive that contains itself comes to an end.

#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "milters/virus/scan/formats/findings.h"

namespace mxfeed::virus {

class Unpacking {
 public:
  struct Content {
    std::string bytes;
    bool is_message;     // to be walked as mail
    unsigned depth = 0;  // of contents in contents
  };

  Unpacking(UnpackRoom room, unsigned max_depth)
      : room_(std::move(room)), max_depth_(max_depth) {}

  // Examines what the engine has opened while it scanned the content of the last next(),
  // or the message itself.  `is_walked`: a walk reads the object as a message.
  void examine(std::string_view object, bool is_walked);
  // The next content that is to be scanned.
  std::optional<Content> next();

  // What made the message encrypted or unscannable; may be empty.
  const std::string& encrypted() const { return encrypted_; }
  const std::string& unscannable() const { return unscannable_; }

 private:
  void keep(std::vector<std::string>& contents, bool are_messages);

  UnpackRoom room_;
  const unsigned max_depth_;
  unsigned depth_ = 0;
  bool in_member_ = false;  // the last next() was no message
  std::deque<Content> waiting_;
  std::unordered_set<std::uint64_t> known_;
  std::string encrypted_, unscannable_;
};

}  // namespace mxfeed::virus
