// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/binhex.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.h"
#include "common/mail/mime/fields.h"

namespace mxfeed::mime {
namespace {

constexpr unsigned char kRunMark = 0x90;
// Version, type, creator, flags, the lengths of both forks, CRC.
constexpr std::size_t kHeaderSize = 1 + 4 + 4 + 2 + 4 + 4 + 2;
constexpr std::size_t kFewCharacters = 20;
constexpr std::size_t kFlush = std::size_t{16} * 1024;

constexpr std::string_view kAlphabet =
    "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";

// By character.
constexpr std::array<signed char, 256> kDigits = [] {
  std::array<signed char, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<signed char>(i);
  }
  return table;
}();

int digit(char c) {
  return kDigits[static_cast<unsigned char>(c)];
}

std::uint32_t number(std::string_view four) {
  std::uint32_t value = 0;
  for (const char c : four.substr(0, 4)) {
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return value;
}

}  // namespace

static_assert(kAlphabet.size() == 64);

bool is_binhex_begin(std::string_view line, bool announced) {
  line = without_trailing_blanks(line);
  if (!line.starts_with(':')) return false;
  line.remove_prefix(1);
  if (line.ends_with(':')) line.remove_suffix(1);
  return std::all_of(line.begin(), line.end(), [](char c) { return digit(c) >= 0; }) &&
         (announced || line.size() >= kFewCharacters);
}

InlineFile::Step BinHexFile::read(const Line& line, FileSink& sink) {
  std::string_view text = line.text;
  if (state_ == State::before) {
    text.remove_prefix(1);  // the colon
    state_ = State::name_length;
  }
  // Dashes are digits, but nobody writes such a line.
  if (!text.empty() && text.find_first_not_of('-') == std::string_view::npos) {
    return Step::more;
  }
  const std::string_view data = text.substr(0, text.find(':'));
  if (!std::ranges::all_of(data, [](char c) { return digit(c) >= 0 || is_space(c); })) {
    return Step::junk;
  }
  for (const char c : text) {
    if (c == ':') {
      close_fork(sink);
      return Step::end;
    }
    if (is_space(c)) continue;
    const int value = digit(c);
    group_ = group_ << 6 | static_cast<std::uint32_t>(value);
    bits_ += 6;
    if (bits_ >= 8) {
      bits_ -= 8;
      packed_byte(static_cast<unsigned char>(group_ >> bits_ & 0xFF), sink);
    }
  }
  return Step::more;
}

bool BinHexFile::finish(FileSink& sink) {
  close_fork(sink);
  return false;
}

// The mark is followed by how often the byte before it comes in all; 0: it is a byte.
void BinHexFile::packed_byte(unsigned char packed, FileSink& sink) {
  if (std::exchange(marked_, false)) {
    if (packed == 0) {
      last_ = kRunMark;
      byte(last_, sink);
    } else {
      repeated(last_, packed - 1u, sink);
    }
  } else if (packed == kRunMark) {
    marked_ = true;
  } else {
    last_ = packed;
    byte(last_, sink);
  }
}

void BinHexFile::repeated(unsigned char value, std::size_t count, FileSink& sink) {
  for (; count > 0; --count) byte(value, sink);
}

void BinHexFile::byte(unsigned char value, FileSink& sink) {
  const char c = static_cast<char>(value);
  switch (state_) {
    case State::before:
    case State::rest:
      return;
    case State::name_length:
      name_length_ = value;
      state_ = name_length_ == 0 ? State::header : State::name;
      return;
    case State::name:
      name_ += c;
      if (name_.size() == name_length_) state_ = State::header;
      return;
    case State::header:
      header_ += c;
      if (header_.size() < kHeaderSize) return;
      resource_length_ = number(std::string_view(header_).substr(15));
      open_fork(State::data, number(std::string_view(header_).substr(11)), sink);
      return;
    case State::data:
    case State::resource:
      if (open_) held_ += c;
      if (held_.size() >= kFlush) flush(sink);
      if (--left_ > 0) return;
      close_fork(sink);
      left_ = 2;  // the CRC
      state_ = state_ == State::data ? State::data_crc : State::rest;
      return;
    case State::data_crc:
      if (--left_ == 0) open_fork(State::resource, resource_length_, sink);
      return;
  }
}

void BinHexFile::open_fork(State fork, std::uint32_t length, FileSink& sink) {
  state_ = fork;
  left_ = length;
  if (length > 0) {
    open_ = sink.begin_file(name_);
  } else {
    left_ = 2;  // the CRC
    state_ = fork == State::data ? State::data_crc : State::rest;
  }
}

void BinHexFile::close_fork(FileSink& sink) {
  flush(sink);
  if (std::exchange(open_, false)) sink.end_file();
}

void BinHexFile::flush(FileSink& sink) {
  if (open_ && !held_.empty()) sink.file_data(held_);
  held_.clear();
}

}  // namespace mxfeed::mime
