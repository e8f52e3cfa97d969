// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/charset.h"

#include <iconv.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::size_t kMaxCharsetName = 64;

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
    append_utf8(out, byte < 0xA0 ? kHigh[byte - 0x80] : byte);
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
  static constexpr Alias kAliases[] = {{"utf-16le", "UTF-16LE"},
                                       {"utf-16be", "UTF-16BE"},
                                       {"utf-32le", "UTF-32LE"},
                                       {"utf-32be", "UTF-32BE"},
                                       {"utf-7", "UTF-7"},
                                       {"utf7", "UTF-7"},
                                       {"unicode-1-1-utf-7", "UTF-7"},
                                       {"unicode-2-0-utf-7", "UTF-7"},
                                       {"x-unicode-2-0-utf-7", "UTF-7"},
                                       {"ibm037", "IBM037"},
                                       {"cp037", "IBM037"},
                                       {"ebcdic-cp-us", "IBM037"},
                                       {"ibm273", "IBM273"},
                                       {"ibm500", "IBM500"},
                                       {"cp500", "IBM500"},
                                       {"ibm1047", "IBM1047"},
                                       {"cp1047", "IBM1047"},
                                       {"ibm1140", "IBM1140"},
                                       {"hz-gb-2312", "HZ"},
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

// UTF-16 and UTF-32 tell their byte order by a mark at the start of the text.  Without
// one, most programs guess: in ASCII characters all bytes but one are zero.
const char* wide_charset(std::string_view bytes, std::string_view charset) {
  const bool wide = charset == "utf-32" || charset == "utf32" || charset == "ucs-4" ||
                    charset == "iso-10646-ucs-4";
  const bool narrow = charset == "utf-16" || charset == "utf16" || charset == "unicode" ||
                      charset == "ucs-2" || charset == "iso-10646-ucs-2";
  if (!wide && !narrow) return nullptr;
  const std::size_t unit = wide ? 4 : 2;
  std::size_t zero_first = 0;
  std::size_t zero_last = 0;
  for (std::size_t i = 0; i + unit <= bytes.size(); i += unit) {
    if (bytes[i] == '\0') ++zero_first;
    if (bytes[i + unit - 1] == '\0') ++zero_last;
  }
  const bool big = zero_first >= zero_last;
  if (wide) return big ? "UTF-32BE" : "UTF-32LE";
  return big ? "UTF-16BE" : "UTF-16LE";
}

// A byte order mark, which programs heed whatever the charset says (WHATWG
// Encoding, 6.1).
struct Mark {
  std::string_view bytes;
  const char* charset;
};
const Mark* leading_mark(std::string_view bytes) {
  using std::string_view_literals::operator""sv;
  static constexpr Mark kMarks[] = {{"\xFF\xFE\0\0"sv, "UTF-32LE"},
                                    {"\0\0\xFE\xFF"sv, "UTF-32BE"},
                                    {"\xFF\xFE"sv, "UTF-16LE"},
                                    {"\xFE\xFF"sv, "UTF-16BE"}};
  for (const Mark& mark : kMarks) {
    if (bytes.starts_with(mark.bytes)) return &mark;
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
  // UTF-16 surrogates and the like: the result must be UTF-8, whatever the converter
  // gave.
  return is_utf8(out) ? out : utf8_with_replacement(out);
}

}  // namespace

void append_utf8(std::string& out, std::uint32_t point) {
  if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) point = 0xFFFD;
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | point >> 18);
    out += static_cast<char>(0x80 | (point >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
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
  if (const Mark* mark = leading_mark(bytes)) {
    const std::string_view text = bytes.substr(mark->bytes.size());
    if (auto converted = convert(text, mark->charset)) return *std::move(converted);
  }
  if (name == "utf-8" || name == "utf8") return utf8_with_replacement(bytes);
  const char* known = wide_charset(bytes, name);
  if (known == nullptr) known = iconv_name(name);
  if (known != nullptr) {
    if (auto converted = convert(bytes, known)) return *std::move(converted);
  }
  const bool western = name == "iso-8859-1" || name == "windows-1252" ||
                       name == "latin1" || name == "cp1252";
  if (!western && is_utf8(bytes)) return std::string(bytes);
  return from_windows_1252(bytes);
}

}  // namespace mxfeed
