// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/decode.h"

#include <algorithm>
#include <utility>

#include "common/base/base64.h"
#include "common/base/text.h"
#include "common/mail/mime/fields.h"

namespace mxfeed::mime {
namespace {

constexpr std::size_t kMaxEscape = 80;    // blanks between "=" and the line end
constexpr std::size_t kMaxBlanks = 8192;  // held back
constexpr std::size_t kMaxLine = 8192;    // of base64, held back

}  // namespace

void Decoder::decode(std::string_view in, std::string& out, Notes& notes) {
  switch (encoding_) {
    case Encoding::none:
      out += in;
      break;
    case Encoding::base64:
      if (notes.reading.choice(Ambiguity::padding) == 2) {
        base64_lines(in, out, notes);
      } else {
        decode_base64(in, out, notes);
      }
      break;
    case Encoding::quoted_printable:
      while (!in.empty()) {
        if (escape_.empty()) {
          const std::size_t plain = std::min(in.find('='), in.size());
          this->plain(in.substr(0, plain), out, notes);
          in.remove_prefix(plain);
          if (in.empty()) break;
          out += std::exchange(blanks_, {});  // not at the end of the line
        }
        quoted_byte(in.front(), out, notes);
        in.remove_prefix(1);
      }
      break;
  }
}

void Decoder::finish(std::string& out, Notes& notes) {
  end_line(out, notes);
  end_blanks(out, notes);
  if (escape_.empty()) return;
  if (escape_.size() > 1 && !is_space(escape_[1])) {
    notes.add(Anomaly::bad_quoted_printable);
    out += escape_;
  }
  escape_.clear();
}

void Decoder::base64_lines(std::string_view in, std::string& out, Notes& notes) {
  while (!in.empty()) {
    const std::size_t length = std::min(in.find('\n'), in.size() - 1) + 1;
    line_ += in.substr(0, length);
    in.remove_prefix(length);
    if (line_.back() == '\n' || line_.size() > kMaxLine) end_line(out, notes);
  }
}

// Some programs skip a line with any other byte in it.
void Decoder::end_line(std::string& out, Notes& notes) {
  const bool is_base64 = std::ranges::all_of(
      line_, [](char c) { return base64_digit(c) >= 0 || c == '=' || is_space(c); });
  if (is_base64) decode_base64(line_, out, notes);
  line_.clear();
}

void Decoder::decode_base64(std::string_view in, std::string& out, Notes& notes) {
  while (!in.empty() && !ended_) {
    // The fast path: whole groups, nearly all of the input.
    while (bits_ == 0 && !padded_ && !broken_ && line_ends_ < 2 && in.size() >= 4) {
      const int first = base64_digit(in[0]), second = base64_digit(in[1]);
      const int third = base64_digit(in[2]), fourth = base64_digit(in[3]);
      if ((first | second | third | fourth) < 0) break;
      const int group = first << 18 | second << 12 | third << 6 | fourth;
      const char bytes[] = {static_cast<char>(group >> 16 & 0xFF),
                            static_cast<char>(group >> 8 & 0xFF),
                            static_cast<char>(group & 0xFF)};
      out.append(bytes, 3);
      in.remove_prefix(4);
      line_ends_ = 0;
      any_ = digits_in_line_ = true;
    }
    if (in.empty()) break;
    base64_byte(in.front(), out, notes);
    in.remove_prefix(1);
  }
}

void Decoder::base64_byte(char c, std::string& out, Notes& notes) {
  const int value = base64_digit(c);
  if (value >= 0) return base64_value(value, out, notes);
  if (c == '=') {
    padded_ |= any_;
    bits_ = 0;  // what follows the padding starts a new group
  } else if (c == '\n') {
    ++line_ends_;
    digits_in_line_ = broken_in_line_ = false;
  } else if (!is_space(c)) {
    notes.add(Anomaly::bad_base64);
    if (digits_in_line_) notes.ambiguities.add(Ambiguity::padding, 2);
    broken_ |= any_;
    was_broken_ = broken_in_line_ = true;
    line_ends_ = 0;  // the line is not empty
  }
}

void Decoder::base64_value(int value, std::string& out, Notes& notes) {
  const bool is_behind_end = padded_ || (any_ && line_ends_ > 1);
  const bool is_behind_break = broken_ && !is_behind_end;
  if (padded_) notes.add(Anomaly::bad_base64);
  if (broken_in_line_) notes.ambiguities.add(Ambiguity::padding, 2);
  padded_ = broken_ = false;
  line_ends_ = 0;
  any_ = digits_in_line_ = true;
  if (is_behind_break) {
    notes.ambiguities.add(Ambiguity::padding, 1);
    ended_ = notes.reading.choice(Ambiguity::padding) == 1;
  } else if (is_behind_end) {
    ended_ = notes.choose(Ambiguity::padding, was_broken_ ? 2 : 1) > 0;
  }
  if (ended_) return;
  group_ = group_ << 6 | static_cast<std::uint32_t>(value);
  bits_ += 6;
  if (bits_ >= 8) {
    bits_ -= 8;
    out += static_cast<char>(group_ >> bits_ & 0xFF);
  }
}

// RFC 2045, 6.7 (3): blanks at the end of a line were added on the way.
void Decoder::plain(std::string_view in, std::string& out, Notes& notes) {
  if (!blanks_matter_) {
    out += in;
    return;
  }
  while (!in.empty()) {
    const std::size_t length = std::min(in.find_first_of("\r\n"), in.size());
    const std::string_view text = in.substr(0, length);
    const std::string_view kept = without_trailing_blanks(text);
    if (!kept.empty()) {
      out += std::exchange(blanks_, {});
      out += kept;
    }
    blanks_ += text.substr(kept.size());
    if (blanks_.size() > kMaxBlanks) {
      const std::size_t most = blanks_.size() - kMaxBlanks;
      out += std::string_view(blanks_).substr(0, most);
      blanks_.erase(0, most);
    }
    in.remove_prefix(length);
    if (in.empty()) break;
    end_blanks(out, notes);
    out += in.front();
    in.remove_prefix(1);
  }
}

void Decoder::end_blanks(std::string& out, Notes& notes) {
  if (blanks_.empty()) return;
  if (notes.choose(Ambiguity::quoted_blanks) == 0) out += blanks_;
  blanks_.clear();
}

void Decoder::quoted_byte(char c, std::string& out, Notes& notes) {
  if (escape_.empty()) {
    if (c == '=') {
      escape_ = "=";
    } else {
      out += c;
    }
    return;
  }
  const bool soft_break = escape_.size() == 1 || is_space(escape_[1]);
  if (soft_break && c == '\n') {
    escape_.clear();
    return;
  }
  // "=\r" goes on as "=\r\n"; a CR alone ends the line too, but not for all programs.
  const bool cr_ends = notes.reading.choice(Ambiguity::bare_cr) == 0;
  if (soft_break && (escape_.back() != '\r' || (c == '\r' && !cr_ends)) && is_space(c) &&
      escape_.size() < kMaxEscape) {
    escape_ += c;
    return;
  }
  if (soft_break && escape_.back() == '\r') {
    escape_.clear();
    quoted_first(c, out);
    return;
  }
  if (escape_.size() == 1 && hex_digit(c) >= 0) {
    escape_ += c;
    return;
  }
  if (escape_.size() == 2 && !soft_break && hex_digit(c) >= 0) {
    out += static_cast<char>(hex_digit(escape_[1]) * 16 + hex_digit(c));
    escape_.clear();
    return;
  }
  notes.add(Anomaly::bad_quoted_printable);
  out += escape_;
  escape_.clear();
  quoted_first(c, out);
}

void Decoder::quoted_first(char c, std::string& out) {
  if (c == '=') {
    escape_ = "=";
  } else {
    out += c;
  }
}

}  // namespace mxfeed::mime
