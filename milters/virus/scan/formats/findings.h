// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the readers of formats find in a content, and how much they may unpack.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "milters/virus/scan/formats/decompress.h"

namespace mxfeed::virus {

// What may still be unpacked from one message.
struct UnpackRoom {
  std::uint64_t bytes;   // in all
  std::uint64_t each;    // a single content
  std::size_t contents;  // how many
  std::function<bool()> is_late;
  // Gets the names of files in archives, encrypted ones as well; may be empty.
  std::function<void(std::string_view)> on_name = {};
};

// The findings in one content.  The room must outlive them.
class Findings {
 public:
  explicit Findings(UnpackRoom& room) : room_(room) {}

  // The first reason of each kind stays.
  void note_encrypted(std::string_view what);
  void note_unscannable(std::string_view what);
  // Without room for it, the content is unscannable.  Nothing is added if it is empty.
  void add_member(std::string content);
  void add_message(std::string content);
  bool wants_names() const { return room_.on_name != nullptr; }
  // The name of a file in an archive, which need not be a member.
  void note_name(std::string_view name) {
    if (room_.on_name) room_.on_name(name);
  }

  // Decompresses what there is room for; the input counts as well, if it is larger.  The
  // content is unscannable if the room is not enough.
  Decompressed unpack(Codec codec, std::string_view input);
  Decompressed unpack_raw_lzma(std::string_view properties, std::string_view input,
                               std::uint64_t size);
  bool is_late();
  // How many bytes may still be unpacked.
  std::uint64_t left() const { return room_.bytes; }

  const std::string& encrypted() const { return encrypted_; }      // empty: it is not
  const std::string& unscannable() const { return unscannable_; }  // empty: it is not
  // Contents to be scanned and examined in their turn.
  std::vector<std::string>& members() { return members_; }
  // Contents to be walked as mail.
  std::vector<std::string>& messages() { return messages_; }

 private:
  bool take_room(const std::string& content);
  Decompressed judged(Decompressed result);

  UnpackRoom& room_;
  std::string encrypted_, unscannable_;
  std::vector<std::string> members_, messages_;
};

}  // namespace mxfeed::virus
