// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/findings.h"

#include <algorithm>

namespace mxfeed::virus {

void Findings::note_encrypted(std::string_view what) {
  if (encrypted_.empty()) encrypted_ = what;
}

void Findings::note_unscannable(std::string_view what) {
  if (unscannable_.empty()) unscannable_ = what;
}

bool Findings::take_room(const std::string& content) {
  if (content.empty()) return false;
  if (content.size() > room_.each) {
    note_unscannable("MaxFileSize");
    return false;
  }
  if (content.size() > room_.bytes) {
    note_unscannable("MaxScanSize");
    return false;
  }
  if (room_.contents == 0) {
    note_unscannable("MaxFiles");
    return false;
  }
  --room_.contents;
  room_.bytes -= content.size();
  return true;
}

void Findings::add_member(std::string content) {
  if (take_room(content)) members_.push_back(std::move(content));
}

void Findings::add_message(std::string content) {
  if (take_room(content)) messages_.push_back(std::move(content));
}

bool Findings::is_late() {
  if (!room_.is_late()) return false;
  note_unscannable("MaxScanTime");
  return true;
}

Decompressed Findings::judged(Decompressed result) {
  // Work costs room even if nothing comes out of it.
  room_.bytes -= std::min<std::uint64_t>(room_.bytes, result.consumed);
  if (result.end == Decompressed::End::too_large) note_unscannable("MaxScanSize");
  if (result.end == Decompressed::End::unsupported) note_unscannable("Compression");
  if (result.end == Decompressed::End::too_late) note_unscannable("MaxScanTime");
  return result;
}

Decompressed Findings::unpack(Codec codec, std::string_view input) {
  const std::uint64_t most = std::min(room_.bytes, room_.each);
  return judged(decompress(codec, input, {most, room_.is_late}));
}

Decompressed Findings::unpack_raw_lzma(std::string_view properties,
                                       std::string_view input, std::uint64_t size) {
  const std::uint64_t most = std::min(room_.bytes, room_.each);
  return judged(decompress_raw_lzma(properties, input, size, {most, room_.is_late}));
}

}  // namespace mxfeed::virus
