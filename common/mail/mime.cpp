// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime.h"

#include <algorithm>
#include <array>
#include <optional>

#include "common/base/text.h"
#include "common/mail/header.h"

namespace mxfeed::mime {
namespace {

constexpr std::size_t kMaxLine = 8192;       // longer lines are handled in pieces
constexpr std::size_t kLongLine = 998;       // RFC 5322, 2.1.1
constexpr std::size_t kLongBoundary = 70;    // RFC 2046, 5.1.1
constexpr std::size_t kMaxGuessed = 200;     // bytes of a guessed boundary
constexpr std::size_t kMaxBoundaries = 3;    // of one multipart, see Level
constexpr std::size_t kMaxSameField = 4;     // kept of one name
constexpr std::size_t kMaxParameters = 200;  // of one field
constexpr std::size_t kMaxStrayLines = 8;    // see Stream::stray
constexpr std::size_t kMaxStrayBytes = 1024;
constexpr std::size_t kFlush = std::size_t{16} * 1024;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_space(char c) {
  return is_blank(c) || c == '\r' || c == '\n';
}

std::string_view without_trailing_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

constexpr std::array<signed char, 256> kBase64 = [] {
  std::array<signed char, 256> table{};
  table.fill(-1);
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<signed char>(i);
  }
  return table;
}();

// --- Lines ---

// A line, or a piece of one that is longer than kMaxLine.
struct Line {
  std::string_view text;  // without its end
  std::string_view end;  // "\n", "\r\n", "\r"; empty: the line goes on, or the data ended
  bool starts = true;    // at the start of a line
};

// Cuts a stream of bytes into lines, in the same way however the bytes arrive.
class LineCutter {
 public:
  // The next line, removed from `input`; nothing once all of it was taken.  Valid until
  // the next call or the end of what `input` points at.
  std::optional<Line> next(std::string_view& input) {
    drop();
    if (input.empty()) return std::nullopt;
    if (!held_.empty() && held_.back() == '\r') {
      std::size_t end = 1;
      if (input.front() == '\n') {
        held_ += '\n';
        input.remove_prefix(1);
        end = 2;
      }
      given_ = true;
      return line(held_, end);
    }
    const std::size_t room = kMaxLine - held_.size();
    std::size_t length = 0;
    const std::size_t most = std::min(input.size(), room + 1);
    while (length < most && input[length] != '\n' && input[length] != '\r') ++length;
    if (length > room) return take(input, room, 0);
    if (length == input.size() || (input[length] == '\r' && length + 1 == input.size())) {
      held_ += input;  // whether a CR ends the line alone shows with the next byte
      input = {};
      return std::nullopt;
    }
    const std::size_t end = input[length] == '\r' && input[length + 1] == '\n' ? 2 : 1;
    return take(input, length + end, end);
  }

  // What is left after the last byte.
  std::optional<Line> rest() {
    drop();
    if (held_.empty()) return std::nullopt;
    given_ = true;
    return line(held_, held_.back() == '\r' ? 1 : 0);
  }

 private:
  void drop() {
    if (given_) held_.clear();
    given_ = false;
  }

  Line take(std::string_view& input, std::size_t length, std::size_t end) {
    std::string_view all = input.substr(0, length);
    if (!held_.empty()) {
      held_ += all;
      all = held_;
      given_ = true;
    }
    input.remove_prefix(length);
    return line(all, end);
  }

  Line line(std::string_view all, std::size_t end) {
    Line line{all.substr(0, all.size() - end), all.substr(all.size() - end), starts_};
    starts_ = end > 0;
    return line;
  }

  std::string held_;    // the start of a line whose end has not come
  bool given_ = false;  // the last line was given out of held_
  bool starts_ = true;
};

// --- Decoding ---

class Decoder {
 public:
  explicit Decoder(Encoding encoding) : encoding_(encoding) {}

  void decode(std::string_view in, std::string& out, Anomalies& anomalies) {
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

  void finish(std::string& out, Anomalies& anomalies) {
    if (escape_.empty()) return;
    if (escape_.size() > 1 && !is_space(escape_[1])) {
      anomalies.add(Anomaly::bad_quoted_printable);
      out += escape_;
    }
    escape_.clear();
  }

 private:
  void decode_base64(std::string_view in, std::string& out, Anomalies& anomalies) {
    while (!in.empty()) {
      // Whole groups, which is nearly all of it.
      while (bits_ == 0 && !padded_ && in.size() >= 4) {
        const int first = digit(in[0]), second = digit(in[1]);
        const int third = digit(in[2]), fourth = digit(in[3]);
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

  static int digit(char c) { return kBase64[static_cast<unsigned char>(c)]; }

  void base64_byte(char c, std::string& out, Anomalies& anomalies) {
    const int value = digit(c);
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

  // escape_ is "", "=", "=A" or "= \t" on the way to a line end.
  void quoted_byte(char c, std::string& out, Anomalies& anomalies) {
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

  void quoted_first(char c, std::string& out) {
    if (c == '=') {
      escape_ = "=";
    } else {
      out += c;
    }
  }

  static constexpr std::size_t kMaxEscape = 80;
  Encoding encoding_;
  std::uint32_t group_ = 0;
  unsigned bits_ = 0;
  bool padded_ = false;
  std::string escape_;
};

// --- uuencode (POSIX, uuencode) ---

// The name in "begin 644 name"; nothing if it is another line.
std::optional<std::string_view> uu_begin(std::string_view text) {
  if (!text.starts_with("begin ")) return std::nullopt;
  text.remove_prefix(6);
  const std::size_t digits = std::min(text.find_first_not_of("01234567"), text.size());
  if (digits < 3 || digits > 4 || digits == text.size() || text[digits] != ' ') {
    return std::nullopt;
  }
  const std::string_view name = trim(text.substr(digits));
  if (name.empty()) return std::nullopt;
  return name;
}

constexpr unsigned uu_value(char c) {
  return (static_cast<unsigned char>(c) - 32u) & 63u;
}

// Whether it is a line of data: every character of the alphabet, and as many as the first
// one says; spaces at the end may have been lost, one or two may stand in for a checksum.
bool is_uu_line(std::string_view text) {
  if (text.empty() || text.size() > 90) return false;
  for (const char c : text) {
    if (c < ' ' || c > '`') return false;
  }
  const std::size_t bytes = uu_value(text.front());
  const std::size_t characters = (bytes + 2) / 3 * 4;
  const std::size_t have = text.size() - 1;
  return bytes > 0 && have <= characters + 2 && have * 2 >= characters;
}

void uu_decode(std::string_view text, std::string& out) {
  std::size_t left = uu_value(text.front());
  const auto at = [&](std::size_t i) { return i < text.size() ? uu_value(text[i]) : 0; };
  for (std::size_t i = 1; left > 0; i += 4) {
    const unsigned group = at(i) << 18 | at(i + 1) << 12 | at(i + 2) << 6 | at(i + 3);
    for (unsigned shift = 16; left > 0; shift -= 8) {
      out += static_cast<char>(group >> shift & 0xFF);
      --left;
      if (shift == 0) break;
    }
  }
}

// --- Fields ---

struct RawParameter {
  std::string name;       // lower case, without what follows '*'
  std::string value;      // quoting removed
  std::string literal;    // with what looked like a comment
  int section = -1;       // of a value in several sections (RFC 2231, 3)
  bool extended = false;  // charset and percent escapes (RFC 2231, 4)
};

struct RawField {
  std::string value;
  std::vector<RawParameter> parameters;
};

// White space and comments at `at`, which is moved behind them.
void skip_comments(std::string_view text, std::size_t& at) {
  unsigned depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\' && depth > 0) {
      ++at;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    } else if (depth == 0 && !is_space(c)) {
      return;
    }
  }
  at = std::min(at, text.size());
}

std::string quoted_string(std::string_view text, std::size_t& at) {
  std::string value;
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    if (text[at] != '\r' && text[at] != '\n') value += text[at];
  }
  if (at < text.size()) ++at;
  return value;
}

// Splits "name*1*" (RFC 2231).
void split_name(RawParameter& parameter) {
  const std::size_t star = parameter.name.find('*');
  if (star == std::string::npos) return;
  std::string_view suffix = std::string_view(parameter.name).substr(star + 1);
  if (suffix.empty()) {
    parameter.extended = true;
  } else {
    if (suffix.back() == '*') {
      parameter.extended = true;
      suffix.remove_suffix(1);
    }
    const auto section = parse_unsigned(suffix);
    if (!section || *section > 999) {
      parameter.extended = false;
      return;
    }
    parameter.section = static_cast<int>(*section);
  }
  parameter.name.resize(star);
}

RawField parse_raw(std::string_view text) {
  RawField field;
  std::size_t at = 0;
  while (at < text.size() && text[at] != ';') {
    skip_comments(text, at);
    while (at < text.size() && text[at] != ';' && text[at] != '(' &&
           !is_space(text[at])) {
      field.value += ascii_lower(text[at++]);
    }
    // "text/plain charset=x": some programs forget the semicolon.
    std::size_t next = at;
    skip_comments(text, next);
    if (next > at && next < text.size() && text[next] != ';' && text[next] != '/' &&
        field.value.find('/') != std::string::npos && !field.value.ends_with('/')) {
      at = next;
      break;
    }
    at = next;
  }
  while (at < text.size() && field.parameters.size() < kMaxParameters) {
    while (at < text.size() && (text[at] == ';' || text[at] == ',')) ++at;
    skip_comments(text, at);
    if (at < text.size() && (text[at] == ';' || text[at] == ',')) continue;
    RawParameter parameter;
    while (at < text.size() && text[at] != '=' && text[at] != ';' && text[at] != '(' &&
           text[at] != ',' && !is_space(text[at])) {
      parameter.name += ascii_lower(text[at++]);
    }
    skip_comments(text, at);
    if (at >= text.size() || text[at] != '=') {
      if (parameter.name.empty() && at < text.size() && text[at] != ';' &&
          text[at] != ',') {
        ++at;  // a character that fits nowhere
      }
      continue;
    }
    ++at;
    skip_comments(text, at);
    if (at < text.size() && text[at] == '"') {
      parameter.value = quoted_string(text, at);
      parameter.literal = parameter.value;
    } else {
      const std::size_t begin = at;
      while (at < text.size() && text[at] != ';' && !is_space(text[at])) ++at;
      const std::string_view literal = text.substr(begin, at - begin);
      parameter.literal = literal;
      parameter.value = literal.substr(0, literal.find('('));
    }
    split_name(parameter);
    field.parameters.push_back(std::move(parameter));
  }
  return field;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// The value of RFC 2231 parameters of one name, sorted by section: the bytes and charset.
std::pair<std::string, std::string> joined(
    const std::vector<const RawParameter*>& parts) {
  std::string bytes;
  std::string charset;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::string_view value = parts[i]->value;
    if (!parts[i]->extended) {
      bytes += value;
      continue;
    }
    if (i == 0) {
      const std::size_t first = value.find('\'');
      const std::size_t second =
          first == std::string_view::npos ? first : value.find('\'', first + 1);
      if (second != std::string_view::npos) {
        charset = value.substr(0, first);
        value.remove_prefix(second + 1);
      }
    }
    bytes += percent_decoded(value);
  }
  return {std::move(bytes), std::move(charset)};
}

struct Parameter {
  std::string name;
  std::string bytes;    // decoded from RFC 2231, not converted
  std::string literal;  // only of a plain parameter
  std::string text;     // UTF-8
};

// RFC 2231 parameters come before plain ones of the same field (RFC 6266, 4.3).
std::vector<Parameter> resolved(const RawField& field, bool& duplicate) {
  std::vector<Parameter> result;
  std::vector<bool> used(field.parameters.size(), false);
  for (std::size_t i = 0; i < field.parameters.size(); ++i) {
    const RawParameter& first = field.parameters[i];
    if (used[i] || (first.section < 0 && !first.extended)) continue;
    std::vector<const RawParameter*> sections;
    for (std::size_t k = i; k < field.parameters.size(); ++k) {
      const RawParameter& other = field.parameters[k];
      if (used[k] || other.name != first.name || (other.section < 0 && !other.extended)) {
        continue;
      }
      used[k] = true;
      sections.push_back(&other);
    }
    std::stable_sort(sections.begin(), sections.end(),
                     [](const RawParameter* a, const RawParameter* b) {
                       return a->section < b->section;
                     });
    auto [bytes, charset] = joined(sections);
    result.push_back({first.name, bytes, "", to_utf8(bytes, charset)});
  }
  for (std::size_t i = 0; i < field.parameters.size(); ++i) {
    const RawParameter& plain = field.parameters[i];
    if (used[i]) continue;
    for (std::size_t k = 0; k < i; ++k) {
      const RawParameter& other = field.parameters[k];
      duplicate |= !used[k] && other.name == plain.name && other.value != plain.value;
    }
    result.push_back({plain.name, plain.value, plain.literal, decode_words(plain.value)});
  }
  return result;
}

// The Content-* fields of one header.
struct Block {
  std::vector<std::string> types;
  std::vector<std::string> encodings;
  std::vector<std::string> dispositions;
  Anomalies anomalies;
  std::size_t bytes = 0;
  bool any = false;  // any line at all

  void add(std::string_view name, std::string_view value) {
    any = true;
    bytes += name.size() + value.size();
    std::vector<std::string>* values = nullptr;
    if (iequals(name, "content-type")) values = &types;
    if (iequals(name, "content-transfer-encoding")) values = &encodings;
    if (iequals(name, "content-disposition")) values = &dispositions;
    if (values == nullptr) return;
    if (value.find('\0') != std::string_view::npos) anomalies.add(Anomaly::nul);
    std::string text = unfold(value);
    if (!values->empty() && values->front() != text) {
      anomalies.add(Anomaly::duplicate_field);
    }
    // The first ones and the last: programs take one or the other.
    if (values->size() == kMaxSameField) values->pop_back();
    values->push_back(std::move(text));
  }
};

struct Description {
  Part part;
  std::vector<std::string> boundaries;
  Anomalies anomalies;
};

std::optional<Encoding> encoding_of(std::string_view value) {
  const std::string name = parse_raw(value).value;
  if (name == "base64") return Encoding::base64;
  if (name == "quoted-printable") return Encoding::quoted_printable;
  for (const std::string_view none : {"", "7bit", "8bit", "binary", "x-uuencode",
                                      "uuencode", "x-uue", "uue", "7-bit", "8-bit"}) {
    if (name == none) return Encoding::none;
  }
  return std::nullopt;
}

void add_boundary(std::vector<std::string>& boundaries, std::string_view boundary) {
  boundary = without_trailing_blanks(boundary);
  if (boundaries.size() < kMaxBoundaries &&
      std::find(boundaries.begin(), boundaries.end(), boundary) == boundaries.end()) {
    boundaries.emplace_back(boundary);
  }
}

Description describe(const Block& block, std::string_view default_type) {
  Description result;
  result.anomalies = block.anomalies;
  Part& part = result.part;
  part.type = default_type;
  // Of several types, a multipart is the one that loses no parts, then a message.
  int best_rank = -1;
  std::vector<std::string> type_names;
  for (const std::string& text : block.types) {
    const RawField field = parse_raw(text);
    bool duplicate = false;
    const std::vector<Parameter> parameters = resolved(field, duplicate);
    if (duplicate) result.anomalies.add(Anomaly::duplicate_parameter);
    const std::size_t slash = field.value.find('/');
    int rank = 0;
    if (slash == std::string::npos || slash == 0 || slash + 1 == field.value.size()) {
      result.anomalies.add(Anomaly::malformed_type);
      rank = -1;
    }
    if (field.value.starts_with("message/")) rank = 1;
    if (field.value.starts_with("multipart")) rank = 2;
    for (const Parameter& parameter : parameters) {
      if (parameter.name == "boundary") {
        add_boundary(result.boundaries, parameter.bytes);
        add_boundary(result.boundaries,
                     parameter.literal.empty() ? parameter.bytes : parameter.literal);
      }
      if (parameter.name == "name") type_names.push_back(parameter.text);
      if (parameter.name == "charset" && part.charset.empty()) {
        part.charset = ascii_lower(parameter.text);
      }
    }
    if (rank > best_rank) {
      best_rank = rank;
      part.type = field.value;
      part.declared = true;
      part.parameters.clear();
      for (const Parameter& parameter : parameters) {
        part.parameters.emplace_back(parameter.name, parameter.text);
      }
    }
  }
  for (const std::string& text : block.dispositions) {
    const RawField field = parse_raw(text);
    bool duplicate = false;
    if (part.disposition.empty()) part.disposition = field.value;
    for (Parameter& parameter : resolved(field, duplicate)) {
      if (parameter.name == "filename") {
        part.file_names.push_back(std::move(parameter.text));
      }
    }
    if (duplicate) result.anomalies.add(Anomaly::duplicate_parameter);
  }
  for (std::string& name : type_names) {
    if (std::find(part.file_names.begin(), part.file_names.end(), name) ==
        part.file_names.end()) {
      part.file_names.push_back(std::move(name));
    }
  }
  for (const std::string& text : block.encodings) {
    const auto encoding = encoding_of(text);
    if (!encoding) result.anomalies.add(Anomaly::unknown_encoding);
    if (part.encoding == Encoding::none)
      part.encoding = encoding.value_or(Encoding::none);
  }
  if (part.type.starts_with("multipart")) {
    part.kind = Part::Kind::multipart;
    if (result.boundaries.empty()) result.anomalies.add(Anomaly::missing_boundary);
    if (result.boundaries.size() > 1) result.anomalies.add(Anomaly::odd_boundary);
    for (const std::string& boundary : result.boundaries) {
      if (boundary.empty() || boundary.size() > kLongBoundary) {
        result.anomalies.add(Anomaly::odd_boundary);
      }
    }
  } else {
    result.boundaries.clear();
    if (part.type == "message/rfc822" || part.type == "message/global" ||
        part.type == "message/news") {
      part.kind = Part::Kind::message;
    }
    if (part.type == "message/partial" || part.type == "message/external-body") {
      result.anomalies.add(Anomaly::partial_message);
    }
  }
  if (part.is_container() && part.encoding != Encoding::none) {
    result.anomalies.add(Anomaly::encoded_container);
  }
  return result;
}

// --- The state of the walk ---

// An open part.
struct Level {
  explicit Level(Encoding encoding) : decoder(encoding) {}

  Part part;
  Decoder decoder;
  bool feeds_stream = false;  // its decoded content is the stream above

  // Of a multipart.  Each of the boundaries divides it.
  std::vector<std::string> boundaries;
  bool guess = false;  // take the first line that looks like a delimiter
  bool divided = false;
  bool closed = false;

  // Of text, in which uuencoded files are looked for.
  bool scans = false;
  LineCutter cutter;
  std::string begin_line;      // "begin 644 x" until the next line shows what it is
  std::unique_ptr<Part> file;  // the uuencoded part that is open
};

// A sequence of lines with parts in it: the message, or an encoded message in a part.
struct Stream {
  enum class State { header, body, opaque };

  Stream(std::size_t place, std::size_t depth) : index(place), base_depth(depth) {}

  std::size_t index;       // in Walker::Impl::streams
  std::size_t base_depth;  // of its outermost part
  std::string buffer;
  std::string_view input;  // not yet cut; into the buffer, or the caller's chunk
  LineCutter cutter;
  std::vector<std::unique_ptr<Level>> levels;
  State state = State::header;
  std::string held_end;  // of the last line: belongs to a delimiter if one follows

  // In a header.
  Block block;
  std::string_view default_type = "text/plain";
  std::string field;  // the current one with its continuations
  bool in_field = false;
  // Lines that are no fields.  Either the blank line before the body is missing, or
  // rubbish stands between the fields: programs differ, so the next lines decide.
  std::vector<std::string> stray;
  std::size_t stray_bytes = 0;

  void append(std::string_view bytes) {
    buffer.erase(0, buffer.size() - input.size());
    buffer += bytes;
    input = buffer;
  }
};

struct Delimiter {
  std::size_t level;
  bool final;
  bool exact;
};

}  // namespace

struct Walker::Impl {
  Impl(Visitor& to, Limits most) : visitor(to), limits(most) {
    streams.push_back(std::make_unique<Stream>(0, 0));
  }

  Visitor& visitor;
  const Limits limits;
  Anomalies anomalies;
  std::size_t parts = 0;
  std::vector<std::unique_ptr<Stream>> streams;  // the message, then what is inside
  bool begun = false;                            // the message's header is over

  // Data on its way to the visitor.
  std::string out;
  const Part* out_part = nullptr;
  std::string decoded;

  // --- To the visitor ---

  void flush() {
    if (!out.empty()) visitor.data(*out_part, out);
    out.clear();
    out_part = nullptr;
  }

  void give(const Part& part, std::string_view bytes) {
    if (bytes.empty()) return;
    if (out_part != &part || out.size() >= kFlush) flush();
    out_part = &part;
    out += bytes;
  }

  void begin(Part& part) {
    flush();
    part.number = parts++;
    visitor.begin_part(part);
  }

  void end(const Part& part) {
    flush();
    visitor.end_part(part);
  }

  // --- Content of a part ---

  void content(Stream& stream, Level& level, std::string_view bytes) {
    if (level.feeds_stream) {
      streams[stream.index + 1]->append(bytes);
    } else if (level.scans) {
      std::string_view input = bytes;
      while (const auto line = level.cutter.next(input)) scan(stream, level, *line);
    } else {
      give(level.part, bytes);
    }
  }

  void raw(Stream& stream, Level& level, std::string_view bytes) {
    if (bytes.empty()) return;
    if (level.part.kind == Part::Kind::opaque ||
        level.part.kind == Part::Kind::multipart ||
        level.part.encoding == Encoding::none) {
      content(stream, level, bytes);
      return;
    }
    decoded.clear();
    level.decoder.decode(bytes, decoded, anomalies);
    content(stream, level, decoded);
  }

  void scan(Stream& stream, Level& level, const Line& line) {
    if (level.file != nullptr) {
      const std::string_view text = without_trailing_blanks(line.text);
      if (text == "end") {
        end_file(level);
        return;
      }
      if (line.starts && (text.empty() || text == "`")) return;  // a line of no bytes
      if (line.starts && is_uu_line(line.text)) {
        std::string bytes;
        uu_decode(line.text, bytes);
        give(*level.file, bytes);
        return;
      }
      anomalies.add(Anomaly::bad_uuencoded);
      end_file(level);
    }
    if (!level.begin_line.empty()) {
      const std::string held = std::exchange(level.begin_line, {});
      if (line.starts && is_uu_line(line.text) && begin_file(stream, level, held)) {
        scan(stream, level, line);  // once: a file is open now
        return;
      }
      give(level.part, held);
    }
    if (line.starts && !line.end.empty() && uu_begin(line.text)) {
      level.begin_line = line.text;
      level.begin_line += line.end;
      return;
    }
    give(level.part, line.text);
    give(level.part, line.end);
  }

  bool begin_file(const Stream& stream, Level& level, std::string_view begin_line) {
    const auto name = uu_begin(trim(begin_line));
    const std::size_t depth = stream.base_depth + stream.levels.size();
    if (parts >= limits.parts) anomalies.add(Anomaly::too_many_parts);
    if (depth > limits.depth) anomalies.add(Anomaly::too_deep);
    if (!name || parts >= limits.parts || depth > limits.depth) return false;
    anomalies.add(Anomaly::uuencoded);
    level.file = std::make_unique<Part>();
    level.file->kind = Part::Kind::uuencoded;
    level.file->depth = depth;
    level.file->type = "application/octet-stream";
    level.file->file_names.push_back(to_utf8(*name, level.part.charset));
    begin(*level.file);
    return true;
  }

  void end_file(Level& level) {
    const std::unique_ptr<Part> file = std::move(level.file);
    if (file != nullptr) end(*file);
  }

  // --- Parts ---

  // What follows is no part of this text.
  void end_text(Stream& stream, Level& level) {
    if (!level.scans) return;
    if (const auto line = level.cutter.rest()) scan(stream, level, *line);
    give(level.part, std::exchange(level.begin_line, {}));
    if (level.file != nullptr) {
      anomalies.add(Anomaly::bad_uuencoded);
      end_file(level);
    }
  }

  // Ends the innermost part of the stream; all streams above it have ended.
  void end_level(Stream& stream) {
    Level& level = *stream.levels.back();
    if (!level.feeds_stream) {
      decoded.clear();
      level.decoder.finish(decoded, anomalies);
      if (!decoded.empty()) content(stream, level, decoded);
      end_text(stream, level);
    }
    if (level.part.kind == Part::Kind::multipart) {
      if (!level.divided) {
        anomalies.add(Anomaly::no_parts);
      } else if (!level.closed) {
        anomalies.add(Anomaly::missing_final_boundary);
      }
    }
    end(level.part);
    stream.levels.pop_back();
  }

  // Ends the parts from level `keep` on, and the streams in them.
  void end_levels(Stream& stream, std::size_t keep) {
    if (keep < stream.levels.size() && streams.size() > stream.index + 1) {
      finish_feeder(stream);
      close_streams(stream.index + 1);
    }
    while (stream.levels.size() > keep) end_level(stream);
  }

  // Gives the stream above what the decoder holds back.  The part that feeds a stream is
  // always the innermost one.
  void finish_feeder(Stream& stream) {
    Level& feeder = *stream.levels.back();
    decoded.clear();
    feeder.decoder.finish(decoded, anomalies);
    if (!decoded.empty()) content(stream, feeder, decoded);
  }

  // Ends the streams from `keep` on.  Outermost first: what one still holds goes to the
  // one inside of it.  Nested calls are for ever higher streams.
  void close_streams(std::size_t keep) {
    for (std::size_t i = keep; i < streams.size(); ++i) finish_input(*streams[i]);
    while (streams.size() > keep) {
      Stream& last = *streams.back();
      while (!last.levels.empty()) end_level(last);
      streams.pop_back();
      if (!streams.empty()) streams.back()->levels.back()->feeds_stream = false;
    }
  }

  // No more bytes will come: what is held back is the end.
  void finish_input(Stream& stream) {
    drain(stream.index);
    if (const auto line = stream.cutter.rest()) {
      note(*line, stream.index == 0);
      process(stream, *line);
    }
    while (stream.state == Stream::State::header) {
      if (!stream.stray.empty()) {
        replay(stream);
        continue;
      }
      commit_field(stream);
      if (!stream.block.any && !stream.levels.empty()) break;
      begin_part(stream);
    }
    raw(stream, *stream.levels.back(), std::exchange(stream.held_end, {}));
    if (stream.levels.back()->feeds_stream) finish_feeder(stream);
    drain(stream.index + 1);
  }

  void open_opaque(Stream& stream, Anomaly why) {
    anomalies.add(why);
    end_levels(stream, 0);
    auto level = std::make_unique<Level>(Encoding::none);
    level->part.kind = Part::Kind::opaque;
    level->part.type = "application/octet-stream";
    level->part.depth = stream.base_depth;
    stream.levels.push_back(std::move(level));
    stream.block = {};
    stream.held_end.clear();
    stream.state = Stream::State::opaque;
    begin(stream.levels.back()->part);
  }

  // The header is over.
  void begin_part(Stream& stream) {
    Description found = describe(stream.block, stream.default_type);
    anomalies.add(found.anomalies);
    stream.block = {};
    stream.default_type = "text/plain";
    stream.held_end.clear();
    const std::size_t depth = stream.base_depth + stream.levels.size();
    const bool encoded_message =
        found.part.kind == Part::Kind::message && found.part.encoding != Encoding::none;
    if (depth > limits.depth ||
        (encoded_message && streams.size() > limits.encoded_depth)) {
      open_opaque(stream, Anomaly::too_deep);
      return;
    }
    if (parts >= limits.parts) {
      open_opaque(stream, Anomaly::too_many_parts);
      return;
    }
    for (const std::string& boundary : found.boundaries) {
      if (boundary.size() > limits.boundary) {
        open_opaque(stream, Anomaly::boundary_too_long);
        return;
      }
    }
    auto level = std::make_unique<Level>(found.part.encoding);
    level->part = std::move(found.part);
    level->part.depth = depth;
    level->boundaries = std::move(found.boundaries);
    const Part::Kind kind = level->part.kind;
    level->guess = kind == Part::Kind::multipart && level->boundaries.empty();
    level->scans = level->part.is_text() || kind == Part::Kind::multipart;
    level->feeds_stream = encoded_message;
    stream.levels.push_back(std::move(level));
    stream.state = kind == Part::Kind::message && !encoded_message ? Stream::State::header
                                                                   : Stream::State::body;
    begin(stream.levels.back()->part);
    if (encoded_message) {
      streams.push_back(std::make_unique<Stream>(stream.index + 1, depth + 1));
    }
  }

  // --- Delimiters ---

  std::optional<Delimiter> find_delimiter(const Stream& stream, std::string_view text) {
    const std::string_view rest = without_trailing_blanks(text).substr(2);
    std::optional<Delimiter> prefix;
    std::size_t prefix_length = 0;
    for (std::size_t i = stream.levels.size(); i-- > 0;) {
      for (const std::string& boundary : stream.levels[i]->boundaries) {
        if (!rest.starts_with(boundary)) continue;
        const std::string_view more = rest.substr(boundary.size());
        if (more.empty()) return Delimiter{i, false, true};
        if (more == "--") return Delimiter{i, true, true};
        // RFC 2046, 5.1.1: it suffices that the boundary appears in its entirety.  The
        // longest one that does; a rule of dashes is none.
        if (boundary.size() > prefix_length &&
            boundary.find_first_not_of('-') != std::string::npos) {
          prefix = Delimiter{i, false, false};
          prefix_length = boundary.size();
        }
      }
    }
    return prefix;
  }

  // A line that begins with "--"; whether it is a delimiter and was dealt with.
  bool delimit(Stream& stream, const Line& line) {
    std::optional<Delimiter> found = find_delimiter(stream, line.text);
    if (!found && stream.state == Stream::State::body && !stream.levels.empty()) {
      Level& level = *stream.levels.back();
      const std::string_view rest = without_trailing_blanks(line.text).substr(2);
      if (level.guess && !rest.empty() && rest.size() <= kMaxGuessed) {
        level.boundaries.emplace_back(rest);
        level.guess = false;
        found = Delimiter{stream.levels.size() - 1, false, true};
      }
    }
    if (!found) return false;
    if (stream.state == Stream::State::header) {
      commit_field(stream);
      if (stream.block.any) begin_part(stream);  // its body is empty
      if (stream.state == Stream::State::opaque) return false;
    }
    if (!found->exact) anomalies.add(Anomaly::boundary_prefix);
    // The break before a delimiter belongs to it, but preamble and epilogue must not run
    // together.
    Level& innermost = *stream.levels.back();
    if (innermost.part.kind == Part::Kind::multipart) {
      raw(stream, innermost, stream.held_end);
      end_text(stream, innermost);
    }
    end_levels(stream, found->level + 1);
    Level& level = *stream.levels.back();
    stream.held_end.clear();
    if (found->final) {
      level.closed = true;
      stream.state = Stream::State::body;  // the epilogue
      return true;
    }
    if (level.closed) anomalies.add(Anomaly::part_after_end);
    level.divided = true;
    level.closed = false;
    stream.state = Stream::State::header;
    stream.default_type =
        level.part.type == "multipart/digest" ? "message/rfc822" : "text/plain";
    return true;
  }

  // --- Lines ---

  void commit_field(Stream& stream) {
    if (!stream.in_field) return;
    stream.in_field = false;
    const std::size_t colon = stream.field.find(':');
    stream.block.add(
        without_trailing_blanks(std::string_view(stream.field).substr(0, colon)),
        std::string_view(stream.field).substr(colon + 1));
    stream.field.clear();
  }

  // The stray lines were the body's first.
  void replay(Stream& stream) {
    const std::vector<std::string> lines = std::exchange(stream.stray, {});
    stream.stray_bytes = 0;
    commit_field(stream);
    begin_part(stream);
    for (const std::string& line : lines) {
      const std::string_view text = line;
      const std::size_t end = text.ends_with("\r\n")                         ? 2
                              : text.ends_with('\n') || text.ends_with('\r') ? 1
                                                                             : 0;
      process(stream,
              {text.substr(0, text.size() - end), text.substr(text.size() - end)});
    }
  }

  void stray_line(Stream& stream, const Line& line) {
    anomalies.add(Anomaly::header_without_end);
    stream.block.any = true;
    std::string& kept = stream.stray.emplace_back(line.text);
    kept += line.end;
    stream.stray_bytes += kept.size();
    if (stream.stray.size() >= kMaxStrayLines || stream.stray_bytes >= kMaxStrayBytes) {
      replay(stream);
    }
  }

  // At the blank line: whether the stray lines are content rather than rubbish.  In
  // base64 rubbish would shift what follows it.
  bool stray_is_content(const Stream& stream) const {
    bool base64 = false;
    for (const std::string& value : stream.block.encodings) {
      base64 |= encoding_of(value) == Encoding::base64;
    }
    if (!base64) return true;
    for (const std::string& line : stream.stray) {
      for (const char c : line) {
        if (kBase64[static_cast<unsigned char>(c)] < 0 && c != '=' && !is_space(c)) {
          return false;
        }
      }
    }
    return true;
  }

  void header_line(Stream& stream, const Line& line) {
    const std::string_view text = line.text;
    stream.block.bytes += text.size() + line.end.size();
    if (stream.block.bytes > limits.header_bytes) {
      open_opaque(stream, Anomaly::header_too_big);
      process(stream, line);
      return;
    }
    if (!line.starts) {
      if (stream.in_field) stream.field += text;
      return;
    }
    if (text.empty()) {
      commit_field(stream);
      if (!stream.stray.empty()) {
        if (stray_is_content(stream)) {
          replay(stream);
          process(stream, line);
          return;
        }
        stream.stray.clear();
        stream.stray_bytes = 0;
      }
      begin_part(stream);
      return;
    }
    if (text.starts_with("--")) {
      // Stray lines are the body of the part that a delimiter ends, and a delimiter
      // of the part itself may come without a blank line before it.
      if (!stream.stray.empty()) {
        replay(stream);
        process(stream, line);
        return;
      }
      if (delimit(stream, line)) return;
      if (stream.state == Stream::State::header) {
        commit_field(stream);
        if (stream.block.any) anomalies.add(Anomaly::header_without_end);
        begin_part(stream);
      }
      process(stream, line);
      return;
    }
    if (text.find('\0') != std::string_view::npos) anomalies.add(Anomaly::nul);
    if (is_blank(text.front())) {
      if (stream.in_field) {
        stream.field += text;
        return;
      }
      if (!stream.stray.empty()) {
        stray_line(stream, line);
        return;
      }
      anomalies.add(Anomaly::odd_field);
    }
    const std::size_t colon = text.find(':');
    const std::string_view name =
        colon == std::string_view::npos ? "" : trim(text.substr(0, colon));
    if (!is_field_name(name)) {
      commit_field(stream);
      stray_line(stream, line);
      return;
    }
    if (!stream.stray.empty()) {
      if (!istarts_with(name, "content-")) {
        stray_line(stream, line);
        return;
      }
      stream.stray.clear();
      stream.stray_bytes = 0;
    }
    commit_field(stream);
    if (colon > 0 && is_blank(text[colon - 1])) anomalies.add(Anomaly::odd_field);
    stream.in_field = true;
    stream.field = trim(text);
  }

  void body_line(Stream& stream, const Line& line) {
    if (line.starts && line.text.starts_with("--") && delimit(stream, line)) return;
    // A refused delimiter may have ended the parts.
    Level& level = *stream.levels.back();
    raw(stream, level, stream.held_end);
    raw(stream, level, line.text);
    stream.held_end = line.end;
  }

  void process(Stream& stream, const Line& line) {
    switch (stream.state) {
      case Stream::State::header:
        header_line(stream, line);
        return;
      case Stream::State::body:
        body_line(stream, line);
        return;
      case Stream::State::opaque:
        raw(stream, *stream.levels.back(), line.text);
        raw(stream, *stream.levels.back(), line.end);
        return;
    }
  }

  void note(const Line& line, bool outermost) {
    if (line.end == "\r") anomalies.add(Anomaly::bare_cr);
    if (line.end == "\n" && outermost) anomalies.add(Anomaly::bare_lf);
    if (!outermost) return;
    if (line.text.size() > kLongLine) anomalies.add(Anomaly::long_line);
    if (line.text.find('\0') != std::string_view::npos) anomalies.add(Anomaly::nul);
  }

  // The next line of the stream, if there is a whole one.
  bool take_line(Stream& stream) {
    const auto line = stream.cutter.next(stream.input);
    if (!line) return false;
    note(*line, stream.index == 0);
    process(stream, *line);
    return true;
  }

  // Works off the input of the streams from `first` on, the innermost first.
  void drain(std::size_t first) {
    for (std::size_t i = streams.size(); i-- > first;) {
      if (take_line(*streams[i])) i = streams.size();
    }
  }

  void begin_body() {
    if (begun) return;
    begun = true;
    begin_part(*streams.front());
  }
};

Walker::Walker(Visitor& visitor, Limits limits)
    : impl_(std::make_unique<Impl>(visitor, limits)) {}
Walker::~Walker() = default;

void Walker::field(std::string_view name, std::string_view value) {
  impl_->streams.front()->block.add(without_trailing_blanks(name),
                                    value.substr(0, impl_->limits.header_bytes));
}

void Walker::body(std::string_view chunk) {
  impl_->begin_body();
  Stream& message = *impl_->streams.front();
  message.input = chunk;
  impl_->drain(0);
}

void Walker::end() {
  impl_->begin_body();
  impl_->close_streams(0);
}

Anomalies Walker::anomalies() const {
  return impl_->anomalies;
}
std::size_t Walker::parts() const {
  return impl_->parts;
}

ParameterisedValue parse_parameters(std::string_view field_value) {
  const RawField field = parse_raw(unfold(field_value));
  ParameterisedValue result;
  result.value = field.value;
  for (Parameter& parameter : resolved(field, result.duplicate)) {
    result.parameters.emplace_back(std::move(parameter.name), std::move(parameter.text));
  }
  return result;
}

std::string Anomalies::str() const {
  static constexpr std::string_view kNames[] = {"duplicate-field",
                                                "duplicate-parameter",
                                                "malformed-type",
                                                "missing-boundary",
                                                "odd-boundary",
                                                "boundary-prefix",
                                                "missing-final-boundary",
                                                "no-parts",
                                                "part-after-end",
                                                "header-without-end",
                                                "odd-field",
                                                "unknown-encoding",
                                                "encoded-container",
                                                "bad-base64",
                                                "bad-quoted-printable",
                                                "bare-cr",
                                                "bare-lf",
                                                "nul",
                                                "long-line",
                                                "uuencoded",
                                                "partial-message",
                                                "bad-uuencoded",
                                                "too-deep",
                                                "too-many-parts",
                                                "header-too-big",
                                                "boundary-too-long"};
  std::string text;
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if ((bits_ & 1u << i) == 0) continue;
    if (!text.empty()) text += ',';
    text += kNames[i];
  }
  return text;
}

}  // namespace mxfeed::mime
