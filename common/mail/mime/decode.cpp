// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/decode.h"

#include <algorithm>

#include "common/base/base64.h"
#include "common/base/text.h"

namespace mxfeed::mime {
namespace {

constexpr std::size_t kMaxEscape = 80;  // blanks between "=" and the line end

}  // namespace

void Decoder::decode(std::string_view in, std::string& out, Anomalies& anomalies) {
  switch (encoding_) {
    case Encoding::none:
      out += in;
      break;
    case Encoding::base64:
      decode_base64(in, out, anomalies);
      break;
    case Encoding::quoted_printable:
      while (!in.empty()) {
        if (escape_.empty()) {
          const std::size_t plain = std::min(in.find('='), in.size());
          out += in.substr(0, plain);
          in.remove_prefix(plain);
          if (in.empty()) break;
        }
        quoted_byte(in.front(), out, anomalies);
        in.remove_prefix(1);
      }
      break;
  }
}

void Decoder::finish(std::string& out, Anomalies& anomalies) {
  if (escape_.empty()) return;
  if (escape_.size() > 1 && !is_space(escape_[1])) {
    anomalies.add(Anomaly::bad_quoted_printable);
    out += escape_;
  }
  escape_.clear();
}

void Decoder::decode_base64(std::string_view in, std::string& out, Anomalies& anomalies) {
  while (!in.empty()) {
    // The fast path: whole groups, nearly all of the input.
    while (bits_ == 0 && !padded_ && in.size() >= 4) {
      const int first = base64_digit(in[0]), second = base64_digit(in[1]);
      const int third = base64_digit(in[2]), fourth = base64_digit(in[3]);
      if ((first | second | third | fourth) < 0) break;
      const int group = first << 18 | second << 12 | third << 6 | fourth;
      const char bytes[] = {static_cast<char>(group >> 16 & 0xFF),
                            static_cast<char>(group >> 8 & 0xFF),
                            static_cast<char>(group & 0xFF)};
      out.append(bytes, 3);
      in.remove_prefix(4);
    }
    if (in.empty()) break;
    base64_byte(in.front(), out, anomalies);
    in.remove_prefix(1);
  }
}

void Decoder::base64_byte(char c, std::string& out, Anomalies& anomalies) {
  const int value = base64_digit(c);
  if (value < 0) {
    if (c == '=') {
      bits_ = 0;  // what follows the padding starts a new group
      padded_ = true;
    } else if (!is_space(c)) {
      anomalies.add(Anomaly::bad_base64);
    }
    return;
  }
  if (padded_) {
    anomalies.add(Anomaly::bad_base64);
    padded_ = false;
  }
  group_ = group_ << 6 | static_cast<std::uint32_t>(value);
  bits_ += 6;
  if (bits_ >= 8) {
    bits_ -= 8;
    out += static_cast<char>(group_ >> bits_ & 0xFF);
  }
}

void Decoder::quoted_byte(char c, std::string& out, Anomalies& anomalies) {
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
  // "=\r" goes on as "=\r\n"; a CR alone ends the line too.
  if (soft_break && escape_.back() != '\r' && is_space(c) &&
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
  anomalies.add(Anomaly::bad_quoted_printable);
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
