// SPDX-License-Identifier: GPL-2.0-or-later
//
// Kinds of attachments that rules can name, and the file name suffixes that belong to
// them.  A kind is also found by the content of a file (milters/virus/scan/attachments).

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace mxfeed {

// The order is that of the bits on the wire: add at the end.
enum class AttachmentKind : std::uint8_t {
  program,         // runs when it is opened, or is installed
  script,          // the same, as text
  shortcut,        // leads to a program or to a share elsewhere
  macro,           // an office document with code in it
  disk_image,      // its files lose the mark that they came from the network
  html_smuggling,  // a page that builds a file by script
};
inline constexpr std::array kAttachmentKinds{
    AttachmentKind::program, AttachmentKind::script,     AttachmentKind::shortcut,
    AttachmentKind::macro,   AttachmentKind::disk_image, AttachmentKind::html_smuggling};

// "program", ..., "html-smuggling": the words of the configuration.
std::string_view to_string(AttachmentKind kind);
std::optional<AttachmentKind> parse_attachment_kind(std::string_view text);

class AttachmentKinds {
 public:
  constexpr AttachmentKinds() = default;
  constexpr AttachmentKinds(std::initializer_list<AttachmentKind> kinds) {
    for (const AttachmentKind kind : kinds) add(kind);
  }
  // Bits of a later version are dropped.
  static constexpr AttachmentKinds from_bits(std::uint32_t bits) {
    AttachmentKinds kinds;
    kinds.bits_ = bits & ((1u << kAttachmentKinds.size()) - 1);
    return kinds;
  }

  constexpr void add(AttachmentKind kind) { bits_ |= 1u << static_cast<unsigned>(kind); }
  constexpr void add(AttachmentKinds others) { bits_ |= others.bits_; }
  constexpr bool has(AttachmentKind kind) const {
    return (bits_ >> static_cast<unsigned>(kind) & 1) != 0;
  }
  constexpr bool is_empty() const { return bits_ == 0; }
  constexpr std::uint32_t bits() const { return bits_; }
  constexpr AttachmentKinds operator&(AttachmentKinds other) const {
    return from_bits(bits_ & other.bits_);
  }
  constexpr bool operator==(const AttachmentKinds&) const = default;

 private:
  std::uint32_t bits_ = 0;
};

// A suffix is a dot and up to 24 characters, letters in lower case; it may have a second
// dot, as ".tar.gz".
inline constexpr std::size_t kMaxSuffix = 25;
bool is_suffix(std::string_view text);

// The kind of files with that suffix, given with its dot; most have none.
std::optional<AttachmentKind> kind_of_suffix(std::string_view suffix);
// How many have one.
std::size_t count_of_known_suffixes();

}  // namespace mxfeed
