// SPDX-License-Identifier: GPL-2.0-or-later
//
// The ways in which mail programs read one mail.
//
// Where mail programs differ, one walk follows one of them: a Reading has a choice for
// each Ambiguity.  A mail program is consistent, so it makes the same choice throughout a
// mail. A walk notes which other choices would have made a difference; Readings gives
// them out, one reading for each combination.
//
//   Readings readings(16);
//   while (const auto reading = readings.next()) {
//     Walker walker(visitor, limits, *reading);
//     ...
//     readings.add(walker.ambiguities());
//   }
//   if (readings.too_many()) ...

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>

namespace mxfeed::mime {

// Choice 0 is what the walker does by default.
enum class Ambiguity : std::uint8_t {
  type,      // which of several Content-Type fields; n: the n-th; 0: by rank
  boundary,  // which boundary of a multipart; n: the n-th; 0: all divide; kGuessed: the
             // first line that looks like a delimiter
  encoding,  // which Content-Transfer-Encoding; n: the n-th; 0: the first that encodes
  encoding_name,  // 1: a Content-Transfer-Encoding such as "base64x" or "(x) base64" is
                  // understood by some programs only
  container,      // an encoded multipart: 1 is decoded, then divided, 2 is a file; an
                  // encoded message: 1 is not decoded, 2 is a file
  delimiter,   // 1: only exact delimiters; 0: more text may follow the boundary; 2: and
               // blanks or more dashes may stand before it; 3: not even blanks may follow
  stray_line,  // no field, in a header: 1 ends the header, 2 is skipped; 0: depends
  blank_before_colon,  // "Name : x": 1 is not this field
  blank_line,     // only blanks, in a header: 1 ends the header; 0: continues the field
  bare_cr,        // 1: does not end a line
  padding,        // of base64: 1 ends it, and so does an empty line or another
                  // byte; 2: lines with other bytes are skipped instead; 0: it goes on
  quoted_blanks,  // at the end of a line of quoted-printable: 1: removed
  junk_line,      // in uuencode or BinHex: 0 ends the file, 1 is skipped
  after_end,      // what follows a final delimiter, up to another one: 1 is a part
  xxencode,       // a line of uuencode that is one of xxencode, too: 1 is xxencode
  outside,  // a field "Content-T..." in a preamble, an epilogue or a text: 1 begins a
            // part
};
inline constexpr std::size_t kAmbiguities = 16;

class Reading {
 public:
  unsigned choice(Ambiguity ambiguity) const {
    return choices_[static_cast<std::size_t>(ambiguity)];
  }
  void choose(Ambiguity ambiguity, unsigned choice) {
    choices_[static_cast<std::size_t>(ambiguity)] = static_cast<std::uint8_t>(choice);
  }
  bool operator==(const Reading&) const = default;
  auto operator<=>(const Reading&) const = default;

 private:
  std::array<std::uint8_t, kAmbiguities> choices_{};
};

// Choices that make a difference for a mail.
class Ambiguities {
 public:
  static constexpr unsigned kMostChoice = 31;
  static constexpr unsigned kGuessed = kMostChoice;

  // A higher choice than kMostChoice is too many.
  void add(Ambiguity ambiguity, unsigned choice) {
    if (choice > kMostChoice) {
      too_many_ = true;
    } else {
      choices_[static_cast<std::size_t>(ambiguity)] |= 1u << choice;
    }
  }
  void add(const Ambiguities& more);
  void add_too_many() { too_many_ = true; }

  bool has(Ambiguity ambiguity, unsigned choice) const {
    return (choices_[static_cast<std::size_t>(ambiguity)] >> choice & 1u) != 0;
  }
  bool any() const { return too_many_ || *this != Ambiguities(); }
  // There are more choices than are told apart.
  bool too_many() const { return too_many_; }
  // How many readings there are, 1 without any ambiguity; at most `most` + 1.
  std::size_t combinations(std::size_t most) const;
  // The reading at this place of all combinations, from 0.
  Reading combination(std::size_t place) const;
  bool operator==(const Ambiguities&) const = default;

 private:
  std::array<std::uint32_t, kAmbiguities> choices_{};
  bool too_many_ = false;
};

// Gives out the readings of a mail, the default one first.
class Readings {
 public:
  explicit Readings(std::size_t most) : most_(most) {}

  // Nothing when all have been given out, or if there are too many.
  std::optional<Reading> next();
  // The ambiguities that a walk has noted.
  void add(const Ambiguities& found) { found_.add(found); }

  bool too_many() const;
  // Those given out.
  std::size_t count() const { return given_.size(); }

 private:
  const std::size_t most_;
  Ambiguities found_;
  std::set<Reading> given_;
};

}  // namespace mxfeed::mime
