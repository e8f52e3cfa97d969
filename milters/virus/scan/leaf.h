// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a leaf part holds that the engine does not read by itself.
//
// Each leaf of each reading passes wants_examination(); examine() then gets those that it
// wants, decoded, and gives what it finds in them to a LeafUser.  To open another format,
// add it to both.

#pragma once

#include <cstddef>
#include <string_view>

#include "common/mail/mime/walker.h"
#include "milters/virus/protocol/wire.h"

namespace mxfeed::virus {

// Takes what was found in a leaf; each view is valid during the call only.
class LeafUser {
 public:
  virtual ~LeafUser() = default;
  // Content that is scanned as a file.
  virtual void file(std::string_view content) = 0;
  // A message: it is scanned, and walked through as the mail is.
  virtual void message(std::string_view mail) = 0;
  // Something that decides the verdict: "encrypted", "unscannable".
  virtual void found(ScanVerdict verdict, std::string_view name) = 0;
};

// So many bytes of a leaf decide whether it is examined.
inline constexpr std::size_t kLeafHead = 64;

bool wants_examination(const mime::Part& part, std::string_view head);
void examine(const mime::Part& part, std::string_view content, LeafUser& user);

}  // namespace mxfeed::virus
