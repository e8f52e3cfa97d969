// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is kept of a message that somebody labelled: no text, only hashed features.  Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "milters/spam/evidence/message.h"
#include "milters/spam/model/features.h"
#include "milters/spam/model/replay.h"

namespace mxfeed::spam {

// The same for all copies of a message, whatever way they took: a digest of its
// Message-ID and its decoded text.
SampleId id_of(const Message& message);

// Who says that a message is spam or ham.
enum class Teacher : std::uint8_t { administrator, trap, user };

std::string_view to_string(Teacher teacher);

// How much a label counts: users err more often.
Rate rate_of(Teacher teacher);

enum class Standing : std::uint8_t { ham, spam, forgotten };

struct Entry {
  SampleId id{};
  Standing standing = Standing::forgotten;
  Teacher teacher = Teacher::administrator;
  std::string domain;  // of the recipient, in lower case; empty if it was not said
  // When this was said, in microseconds since 1970.  Of several entries of one id the
  // latest counts.
  std::uint64_t changed = 0;
  // When the message was first learned; a later label does not change it.
  Time learned;
  // Whether the content model judged the message before it was learned, and the log-odds
  // that it gave.  A later label does not change them.
  bool was_judged = false;
  double arrival = 0;
  // The slugs of the other evidence found, for the combiner.
  std::vector<std::string> evidence;
  unsigned version = kFeatureVersion;
  Features features;    // none if it is forgotten
  std::string unknown;  // fields of later versions

  std::string bytes() const;
  // Nothing for damaged bytes.
  static std::optional<Entry> from_bytes(std::string_view bytes);

  bool operator==(const Entry&) const = default;
};

// The most bytes of an entry that is read.
inline constexpr std::size_t kMostEntry = std::size_t{64} * 1024;

// Whether `a` takes the place of `b`, an entry of the same id.  An order: whoever has the
// same entries chooses the same one.
bool is_newer(const Entry& a, const Entry& b);

}  // namespace mxfeed::spam
