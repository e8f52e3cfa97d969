// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/header.h"

#include <iconv.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>

#include "common/base/base64.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

void append_code_point(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

std::string utf8_with_replacement(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    std::size_t length = ascii_length(bytes);
    if (length == 0) length = utf8_length(bytes);
    if (length == 0) {
      out += kReplacement;
      length = 1;
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(length);
  }
  return out;
}

std::string from_windows_1252(std::string_view bytes) {
  // WHATWG Encoding, index windows-1252: the C1 range.
  static constexpr std::array<std::uint16_t, 32> kHigh = {
      0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
      0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
      0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
      0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  while (!bytes.empty()) {
    const std::size_t ascii = ascii_length(bytes);
    out += bytes.substr(0, ascii);
    bytes.remove_prefix(ascii);
    if (bytes.empty()) break;
    const auto byte = static_cast<unsigned char>(bytes.front());
    append_code_point(out, byte < 0xA0 ? kHigh[byte - 0x80] : byte);
    bytes.remove_prefix(1);
  }
  return out;
}

// The name that iconv knows a charset by.  Only charsets in use in mail are handed to
// iconv: a name from the network chooses which converter module is loaded.
const char* iconv_name(std::string_view charset) {
  struct Alias {
    const char* name;
    const char* iconv;
  };
  static constexpr Alias kAliases[] = {{"utf-16", "UTF-16"},
                                       {"utf-16le", "UTF-16LE"},
                                       {"utf-16be", "UTF-16BE"},
                                       {"utf-32", "UTF-32"},
                                       {"utf-7", "UTF-7"},
                                       {"unicode-1-1-utf-7", "UTF-7"},
                                       {"iso-8859-2", "ISO-8859-2"},
                                       {"iso-8859-3", "ISO-8859-3"},
                                       {"iso-8859-4", "ISO-8859-4"},
                                       {"iso-8859-5", "ISO-8859-5"},
                                       {"iso-8859-6", "ISO-8859-6"},
                                       {"iso-8859-7", "ISO-8859-7"},
                                       {"iso-8859-8", "ISO-8859-8"},
                                       {"iso-8859-8-i", "ISO-8859-8"},
                                       {"iso-8859-9", "WINDOWS-1254"},
                                       {"iso-8859-10", "ISO-8859-10"},
                                       {"iso-8859-11", "TIS-620"},
                                       {"iso-8859-13", "ISO-8859-13"},
                                       {"iso-8859-14", "ISO-8859-14"},
                                       {"iso-8859-15", "ISO-8859-15"},
                                       {"iso-8859-16", "ISO-8859-16"},
                                       {"windows-1250", "WINDOWS-1250"},
                                       {"cp1250", "WINDOWS-1250"},
                                       {"windows-1251", "WINDOWS-1251"},
                                       {"cp1251", "WINDOWS-1251"},
                                       {"windows-1253", "WINDOWS-1253"},
                                       {"windows-1254", "WINDOWS-1254"},
                                       {"windows-1255", "WINDOWS-1255"},
                                       {"windows-1256", "WINDOWS-1256"},
                                       {"windows-1257", "WINDOWS-1257"},
                                       {"windows-1258", "WINDOWS-1258"},
                                       {"windows-874", "CP874"},
                                       {"koi8-r", "KOI8-R"},
                                       {"koi8-u", "KOI8-U"},
                                       {"cp866", "CP866"},
                                       {"ibm866", "CP866"},
                                       {"cp850", "CP850"},
                                       {"cp437", "CP437"},
                                       {"macintosh", "MACINTOSH"},
                                       {"tis-620", "TIS-620"},
                                       {"gb2312", "GB18030"},
                                       {"gbk", "GB18030"},
                                       {"gb18030", "GB18030"},
                                       {"x-gbk", "GB18030"},
                                       {"big5", "BIG5-HKSCS"},
                                       {"big5-hkscs", "BIG5-HKSCS"},
                                       {"shift_jis", "CP932"},
                                       {"shift-jis", "CP932"},
                                       {"sjis", "CP932"},
                                       {"windows-31j", "CP932"},
                                       {"cp932", "CP932"},
                                       {"iso-2022-jp", "ISO-2022-JP"},
                                       {"euc-jp", "EUC-JP"},
                                       {"euc-kr", "CP949"},
                                       {"ks_c_5601-1987", "CP949"},
                                       {"cp949", "CP949"},
                                       {"iso-2022-kr", "ISO-2022-KR"}};
  for (const Alias& alias : kAliases) {
    if (charset == alias.name) return alias.iconv;
  }
  return nullptr;
}

struct IconvClose {
  void operator()(void* converter) const { iconv_close(converter); }
};

std::optional<std::string> convert(std::string_view bytes, const char* charset) {
  const iconv_t opened = iconv_open("UTF-8", charset);
  // iconv_t is void*, the error value (iconv_t)-1.
  if (reinterpret_cast<std::intptr_t>(opened) == -1) return std::nullopt;
  const std::unique_ptr<void, IconvClose> converter(opened);
  std::string out;
  std::array<char, 4096> buffer;
  char* in = const_cast<char*>(bytes.data());  // POSIX iconv() does not write through it
  std::size_t left = bytes.size();
  for (;;) {
    char* to = buffer.data();
    std::size_t room = buffer.size();
    const std::size_t result = left > 0 ? iconv(opened, &in, &left, &to, &room)
                                        : iconv(opened, nullptr, nullptr, &to, &room);
    const int error = errno;
    out.append(buffer.data(), buffer.size() - room);
    if (result != static_cast<std::size_t>(-1)) {
      if (left == 0 && room == buffer.size()) break;  // flushed
      continue;
    }
    if (error == E2BIG) continue;
    out += kReplacement;  // EILSEQ, or EINVAL: cut at the end
    if (left == 0) break;
    ++in;
    --left;
  }
  // UTF-16 surrogates and the like: whatever the converter gave, the promise is UTF-8.
  return is_utf8(out) ? out : utf8_with_replacement(out);
}

// "=?charset?encoding?text?=" at the start of `text`: its length, and its bytes decoded
// but not yet converted.  Nothing if there is none.
struct EncodedWord {
  std::size_t length;
  std::string charset;  // lower case, without the language of RFC 2231, 5
  std::string bytes;
};

constexpr std::size_t kMaxCharsetName = 64;

std::optional<EncodedWord> encoded_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const std::size_t charset_end = text.substr(0, kMaxCharsetName + 3).find('?', 2);
  if (charset_end == std::string_view::npos || charset_end == 2) return std::nullopt;
  if (charset_end + 2 >= text.size() || text[charset_end + 2] != '?') return std::nullopt;
  const char encoding = ascii_lower(text[charset_end + 1]);
  if (encoding != 'b' && encoding != 'q') return std::nullopt;
  const std::size_t begin = charset_end + 3;
  // '?' cannot be part of the encoded text.
  const std::size_t end = text.find('?', begin);
  if (end == std::string_view::npos || end + 1 >= text.size() || text[end + 1] != '=') {
    return std::nullopt;
  }
  EncodedWord word;
  word.length = end + 2;
  word.charset = ascii_lower(text.substr(2, charset_end - 2));
  word.charset.resize(std::min(word.charset.find('*'), word.charset.size()));
  const std::string_view body = text.substr(begin, end - begin);
  word.bytes = encoding == 'b' ? decode_base64(body) : decode_quoted(body, true);
  return word;
}

// A reader of the tokens of a date.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : text_(text) {}

  void skip() {
    unsigned depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '(') {
        ++depth;
      } else if (c == ')' && depth > 0) {
        --depth;
      } else if (c == '\\' && depth > 0) {
        ++at_;
      } else if (depth == 0 && !is_space(c)) {
        return;
      }
      ++at_;
    }
  }

  bool done() {
    skip();
    return at_ >= text_.size();
  }

  bool take(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // At most nine digits; nothing without any.
  std::optional<int> number(std::size_t* digits = nullptr) {
    skip();
    int value = 0;
    std::size_t count = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && count < 9) {
      value = value * 10 + (text_[at_] - '0');
      ++at_;
      ++count;
    }
    if (digits != nullptr) *digits = count;
    if (count == 0) return std::nullopt;
    return value;
  }

  std::string word() {
    skip();
    std::string word;
    while (at_ < text_.size() && ((text_[at_] >= 'A' && text_[at_] <= 'Z') ||
                                  (text_[at_] >= 'a' && text_[at_] <= 'z'))) {
      if (word.size() < 16) word += ascii_lower(text_[at_]);
      ++at_;
    }
    return word;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

int month_of(std::string_view word) {
  static constexpr std::string_view kMonths[] = {
      "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
  if (word.size() < 3) return 0;
  for (int i = 0; i < 12; ++i) {
    if (word.substr(0, 3) == kMonths[i]) return i + 1;
  }
  return 0;
}

// RFC 5322, 4.3: zone names; unknown ones count as -0000.
std::chrono::minutes zone_of(std::string_view word) {
  struct Zone {
    std::string_view name;
    int hours;
  };
  static constexpr Zone kZones[] = {{"est", -5}, {"edt", -4}, {"cst", -6}, {"cdt", -5},
                                    {"mst", -7}, {"mdt", -6}, {"pst", -8}, {"pdt", -7}};
  for (const Zone& zone : kZones) {
    if (word == zone.name) return std::chrono::hours(zone.hours);
  }
  return std::chrono::minutes(0);
}

// Lower-case letters without any white space: what two subjects are compared by.
std::string folded_letters(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (!is_space(c)) out += ascii_lower(c);
  }
  return out;
}

}  // namespace

bool is_field_name(std::string_view name) {
  for (const char c : name) {
    if (c <= ' ' || c >= 0x7F || c == ':') return false;
  }
  return !name.empty();
}

std::string unfold(std::string_view value) {
  std::string out;
  value = trim(value);
  out.reserve(value.size());
  for (const char c : value) {
    if (c != '\r' && c != '\n') out += c;
  }
  return out;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t length = ascii_length(bytes);
    if (length == 0) length = utf8_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string to_utf8(std::string_view bytes, std::string_view charset) {
  const std::string name = ascii_lower(charset.substr(0, kMaxCharsetName));
  if (name == "utf-8" || name == "utf8") return utf8_with_replacement(bytes);
  if (const char* known = iconv_name(name)) {
    if (auto converted = convert(bytes, known)) return *std::move(converted);
  }
  const bool western = name == "iso-8859-1" || name == "windows-1252" ||
                       name == "latin1" || name == "cp1252";
  if (!western && is_utf8(bytes)) return std::string(bytes);
  return from_windows_1252(bytes);
}

std::string decode_quoted(std::string_view text, bool underscore) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '_' && underscore) {
      out += ' ';
    } else if (c == '=' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
               hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

std::string decode_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) {
      if (c == '=') bits = 0;
      continue;
    }
    group = group << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(group >> bits & 0xFF);
    }
  }
  return out;
}

std::string decode_words(std::string_view value) {
  const std::string text = unfold(value);
  std::string_view rest = text;
  std::string out;
  std::string plain;    // read, not yet written
  std::string charset;  // of `bytes`
  std::string bytes;    // of encoded words: a character may be cut between two of them
  const auto write_bytes = [&] {
    if (!bytes.empty()) out += to_utf8(bytes, charset);
    bytes.clear();
  };
  bool after_word = false;
  while (!rest.empty()) {
    if (auto word = encoded_word(rest)) {
      const bool only_blanks = trim(plain).empty();
      if (!after_word || !only_blanks) {
        write_bytes();
        out += to_utf8(plain, "");
      }
      plain.clear();
      if (!bytes.empty() && word->charset != charset) write_bytes();
      charset = word->charset;
      bytes += word->bytes;
      after_word = true;
      rest.remove_prefix(word->length);
      continue;
    }
    // A word that does not end must not be looked for again at each "=?" in it: up to the
    // next "=?", but at least these two bytes, is plain.
    const std::size_t next = rest.find("=?", 1);
    const std::size_t length = std::min(next, rest.size());
    plain += rest.substr(0, length);
    rest.remove_prefix(length);
  }
  write_bytes();
  out += to_utf8(plain, "");
  // Line breaks that were encoded would let a sender forge lines in what we print.
  for (char& c : out) {
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  }
  return out;
}

std::optional<Time> parse_date(std::string_view value) {
  using namespace std::chrono;
  constexpr std::size_t kMaxDate = 200;
  DateReader read(value.substr(0, kMaxDate));
  std::string word = read.word();
  int month_number = 0;
  std::optional<int> day_number;
  std::optional<int> year_number;
  std::size_t year_digits = 0;
  if (!word.empty()) {
    read.take(',');
    read.take('.');
  }
  day_number = read.number();
  if (!day_number) {
    // asctime: "Mon Nov 23 10:11:12 2026".
    month_number = month_of(read.word());
    day_number = read.number();
  } else {
    read.take('-');
    month_number = month_of(read.word());
    read.take('-');
    year_number = read.number(&year_digits);
  }
  if (!day_number || month_number == 0) return std::nullopt;
  const auto hour_number = read.number();
  if (!hour_number || !read.take(':')) return std::nullopt;
  const auto minute_number = read.number();
  if (!minute_number) return std::nullopt;
  int second_number = 0;
  if (read.take(':')) {
    const auto parsed = read.number();
    if (!parsed) return std::nullopt;
    second_number = *parsed;
  }
  minutes zone{0};
  const auto read_zone = [&] {
    const bool minus = read.take('-');
    if (minus || read.take('+')) {
      const auto offset = read.number();
      if (!offset || *offset > 9999 || *offset % 100 > 59) return false;
      zone = hours(*offset / 100) + minutes(*offset % 100);
      if (minus) zone = -zone;
    } else {
      zone = zone_of(read.word());
    }
    return true;
  };
  if (!year_number) {
    year_number = read.number(&year_digits);
    if (!year_number) {  // asctime with a zone before the year
      if (!read_zone()) return std::nullopt;
      year_number = read.number(&year_digits);
    }
  }
  if (!year_number || !read_zone()) return std::nullopt;
  // RFC 5322, 4.3: years of two and three digits.
  if (year_digits == 2) *year_number += *year_number < 50 ? 2000 : 1900;
  if (year_digits == 3) *year_number += 1900;
  if (*year_number < 1900 || *year_number > 9999) return std::nullopt;
  const year_month_day date{year(*year_number),
                            month(static_cast<unsigned>(month_number)),
                            day(static_cast<unsigned>(*day_number))};
  if (!date.ok() || *hour_number > 23 || *minute_number > 59 || second_number > 60) {
    return std::nullopt;
  }
  return sys_days(date) + hours(*hour_number) + minutes(*minute_number) +
         seconds(second_number) - zone;
}

std::vector<Mailbox> parse_mailboxes(std::string_view value, std::size_t most) {
  const std::string text = unfold(value);
  std::vector<Mailbox> mailboxes;
  std::string words;    // outside of angle brackets
  std::string address;  // inside
  bool bracketed = false;
  const auto finish = [&] {
    Mailbox mailbox;
    if (bracketed) {
      mailbox.display = decode_words(words);
      mailbox.address = address;
    } else {
      for (const char c : words) {
        if (!is_space(c)) mailbox.address += c;
      }
    }
    if (!mailbox.address.empty() || !mailbox.display.empty()) {
      mailboxes.push_back(std::move(mailbox));
    }
    words.clear();
    address.clear();
    bracketed = false;
  };
  bool quoted = false;
  bool in_brackets = false;
  unsigned comment = 0;
  for (std::size_t i = 0; i < text.size() && mailboxes.size() < most; ++i) {
    const char c = text[i];
    if (c == '\\' && (quoted || comment > 0) && i + 1 < text.size()) {
      ++i;
      if (quoted && comment == 0) (in_brackets ? address : words) += text[i];
    } else if (comment > 0) {
      if (c == '(') ++comment;
      if (c == ')') --comment;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      (in_brackets ? address : words) += c;
    } else if (c == '(') {
      ++comment;
    } else if (in_brackets) {
      if (c == '>') {
        in_brackets = false;
      } else if (!is_space(c)) {
        address += c;
      }
    } else if (c == '<') {
      in_brackets = bracketed = true;
    } else if (c == ',' || c == ';') {
      finish();
    } else if (c == ':' && !bracketed) {
      words.clear();  // the name of a group
    } else {
      words += c;
    }
  }
  if (mailboxes.size() < most) finish();
  return mailboxes;
}

bool subject_has_tag(std::string_view subject, std::string_view tag) {
  return folded_letters(decode_words(subject))
      .starts_with(folded_letters(decode_words(tag)));
}

}  // namespace mxfeed
