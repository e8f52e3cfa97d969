// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/yenc.h"

#include <cstddef>
#include <cstdint>

#include "common/base/text.h"

namespace mxfeed::mime {
namespace {

// The number behind " key="; nothing if there is none.
std::optional<std::uint64_t> number(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view value = line.substr(at + key.size());
  return parse_unsigned(value.substr(0, value.find(' ')));
}

}  // namespace

std::optional<YencBegin> yenc_begin(std::string_view line) {
  if (!line.starts_with("=ybegin ")) return std::nullopt;
  YencBegin begin;
  const std::size_t name = line.find(" name=");
  if (name != std::string_view::npos) begin.name = trim(line.substr(name + 6));
  const std::string_view before = line.substr(0, name);
  const auto part = number(before, " part=");
  const auto total = number(before, " total=");
  begin.more_parts = part && (!total || *part < *total);
  return begin;
}

InlineFile::Step YencFile::read(const Line& line, FileSink& sink) {
  if (line.starts) {
    escaped_ = false;
    if (line.text.starts_with("=y")) return read_control(line.text, sink);
  }
  if (state_ == State::between) return Step::text;
  std::string bytes;
  decode(line.text, bytes);
  if (wanted_) sink.file_data(bytes);
  return Step::more;
}

InlineFile::Step YencFile::read_control(std::string_view text, FileSink& sink) {
  if (const auto begin = yenc_begin(text)) {
    if (state_ != State::before && begin->name != name_) {
      if (wanted_) sink.end_file();
      return Step::cut;
    }
    if (state_ == State::before) {
      name_ = begin->name;
      wanted_ = sink.begin_file(name_);
    }
    more_parts_ = begin->more_parts;
    state_ = State::inside;
    return Step::more;
  }
  if (state_ == State::between) return Step::text;
  if (!text.starts_with("=yend")) return Step::more;  // "=ypart"
  if (more_parts_) {
    state_ = State::between;
    return Step::more;
  }
  if (wanted_) sink.end_file();
  return Step::end;
}

bool YencFile::finish(FileSink& sink) {
  if (wanted_) sink.end_file();
  return state_ == State::between;
}

void YencFile::decode(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == '\r' || c == '\0') continue;
    if (c == '=' && !escaped_) {
      escaped_ = true;
      continue;
    }
    out += static_cast<char>(static_cast<unsigned char>(c) - 42 - (escaped_ ? 64 : 0));
    escaped_ = false;
  }
}

}  // namespace mxfeed::mime
