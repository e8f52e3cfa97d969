// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a walk passes to its visitor; for the walk of walker.h only.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/mail/mime/notes.h"
#include "common/mail/mime/walker.h"

namespace mxfeed::mime {

// Numbers the parts, collects the notes and joins short pieces of data of one part.
class Output {
 public:
  // Both must outlive it.
  Output(Visitor& visitor, const Limits& limits, const Reading& reading)
      : visitor_(visitor), limits_(limits), notes_(reading) {}

  void begin(Part& part);
  void end(const Part& part);
  // Data of an open part; `part` must stay where it is until end().
  void give(const Part& part, std::string_view bytes);

  Notes& notes() { return notes_; }
  const Notes& notes() const { return notes_; }
  const Limits& limits() const { return limits_; }
  // Parts begun so far.
  std::size_t parts() const { return parts_; }
  // Whether so many more bytes may come from a compressed encoding; notes it if not.
  bool may_expand(std::size_t more);
  // Bytes that came from such encodings, also those beyond the limit.
  std::uint64_t expanded() const { return expanded_; }
  bool is_full() const { return parts_ >= limits_.parts; }

 private:
  void flush();

  Visitor& visitor_;
  const Limits& limits_;
  Notes notes_;
  std::size_t parts_ = 0;
  std::uint64_t expanded_ = 0;
  std::string held_;  // data on its way to the visitor
  const Part* held_of_ = nullptr;
};

}  // namespace mxfeed::mime
