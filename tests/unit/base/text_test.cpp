// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/text.h"

#include "common/base/base64.h"
#include "common/base/log.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using std::chrono::seconds;

TEST_CASE("UTF-8 is known at any place behind ASCII") {
  struct Row {
    const char* name;
    std::string_view bytes;
    std::size_t length;  // of the sequence; 0: none
  };
  const Row rows[] = {
      {"two bytes", "\xC2\x80", 2},
      {"overlong two bytes", "\xC1\xBF", 0},
      {"three bytes", "\xE0\xA0\x80", 3},
      {"overlong three bytes", "\xE0\x9F\xBF", 0},
      {"last before the surrogates", "\xED\x9F\xBF", 3},
      {"a surrogate", "\xED\xA0\x80", 0},
      {"four bytes", "\xF0\x90\x80\x80", 4},
      {"overlong four bytes", "\xF0\x8F\xBF\xBF", 0},
      {"the last code point", "\xF4\x8F\xBF\xBF", 4},
      {"beyond it", "\xF4\x90\x80\x80", 0},
      {"cut", "\xE2\x82", 0},
      {"a continuation alone", "\x80", 0},
      {"no lead byte", "\xFF", 0},
  };
  for (const Row& row : rows) {
    for (std::size_t before = 0; before <= 17; ++before) {
      CAPTURE(row.name, before);
      const std::string text = std::string(before, 'a') + std::string(row.bytes);
      CHECK(ascii_length(text) == before);
      CHECK(utf8_length(std::string_view(text).substr(before)) == row.length);
    }
  }
  CHECK(ascii_length("") == 0);
  CHECK(ascii_length(std::string(17, '\x7F')) == 17);
  CHECK(utf8_length("") == 0);
}

TEST_CASE("durations need a unit and stay within ten years", "[base]") {
  CHECK(parse_duration("90s") == seconds(90));
  CHECK(parse_duration("15m") == seconds(900));
  CHECK(parse_duration("6h") == seconds(21'600));
  CHECK(parse_duration("2d") == seconds(172'800));
  CHECK(parse_duration("1w") == seconds(604'800));
  CHECK(parse_duration("3650d") == seconds(315'360'000));
  for (const char* wrong :
       {"", "d", "5", "-1d", "1.5h", "2 d", "3651d", "1y", "99999999999999999999s"}) {
    CHECK_FALSE(parse_duration(wrong));
  }
  for (const char* text : {"0s", "1s", "90s", "2m", "36h", "2d"}) {
    CHECK(format_duration(*parse_duration(text)) == text);
  }
}

// RFC 4648, 10.
TEST_CASE("base64 pads what is no whole group", "[base]") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64(std::string_view("\xFF\xFE\0", 3)) == "//4A");
}

TEST_CASE("sizes are powers of 1024", "[base]") {
  CHECK(parse_size("1000") == 1000u);
  CHECK(parse_size("512K") == 512u * 1024);
  CHECK(parse_size("50M") == 50u << 20);
  CHECK(parse_size("1G") == 1u << 30);
  for (const char* wrong : {"", "M", "1T", "-5", "1.5M", "9999999999G"}) {
    CHECK_FALSE(parse_size(wrong));
  }
}

TEST_CASE("text of peers is harmless in a log line", "[base]") {
  struct {
    const char* name;
    std::string_view text;
    const char* escaped;  // nullptr: as it is
  } const rows[] = {
      {"plain text", "plain text", nullptr},
      {"letters", "b\xC3\xBC \xE6\x97\xA5 \xD7\x90 \xF0\x9F\x98\x80", nullptr},
      {"an emoji with its selector", "\xE2\x9D\xA4\xEF\xB8\x8F", nullptr},
      {"the replacement character", "\xEF\xBF\xBD", nullptr},
      {"line breaks", "a\nb\rc", "a\\x0ab\\x0dc"},
      {"an escape sequence", "\x1B[2J", "\\x1b[2J"},
      {"NUL", std::string_view("\0", 1), "\\x00"},
      {"DEL", "\x7F", "\\x7f"},
      {"Latin-1", "b\xFC", "b\\xfc"},
      {"overlong", "\xC0\xAF", "\\xc0\\xaf"},
      {"cut", "\xE2\x82", "\\xe2\\x82"},
      {"U+0080, C1", "\xC2\x80", "\\xc2\\x80"},
      {"U+0085, next line", "\xC2\x85", "\\xc2\\x85"},
      {"U+009B, CSI", "\xC2\x9B", "\\xc2\\x9b"},
      {"U+009F, last C1", "\xC2\x9F", "\\xc2\\x9f"},
      {"U+00A0", "\xC2\xA0", nullptr},
      {"U+00AD, soft hyphen", "\xC2\xAD", "\\xc2\\xad"},
      {"U+061C", "\xD8\x9C", "\\xd8\\x9c"},
      {"U+200A", "\xE2\x80\x8A", nullptr},
      {"U+200B", "\xE2\x80\x8B", "\\xe2\\x80\\x8b"},
      {"U+200E", "\xE2\x80\x8E", "\\xe2\\x80\\x8e"},
      {"U+200F", "\xE2\x80\x8F", "\\xe2\\x80\\x8f"},
      {"U+2010", "\xE2\x80\x90", nullptr},
      {"U+2028", "\xE2\x80\xA8", "\\xe2\\x80\\xa8"},
      {"U+2029", "\xE2\x80\xA9", "\\xe2\\x80\\xa9"},
      {"U+202A", "\xE2\x80\xAA", "\\xe2\\x80\\xaa"},
      {"U+202E", "\xE2\x80\xAE", "\\xe2\\x80\\xae"},
      {"U+202F", "\xE2\x80\xAF", nullptr},
      {"U+2066", "\xE2\x81\xA6", "\\xe2\\x81\\xa6"},
      {"U+2069", "\xE2\x81\xA9", "\\xe2\\x81\\xa9"},
      {"U+E000, private use", "\xEE\x80\x80", "\\xee\\x80\\x80"},
      {"U+FEFF", "\xEF\xBB\xBF", "\\xef\\xbb\\xbf"},
      {"U+FFFB", "\xEF\xBF\xBB", "\\xef\\xbf\\xbb"},
      {"U+FFFF", "\xEF\xBF\xBF", "\\xef\\xbf\\xbf"},
      {"U+E0041, a tag", "\xF3\xA0\x81\x81", "\\xf3\\xa0\\x81\\x81"},
      {"U+10FFFD", "\xF4\x8F\xBF\xBD", "\\xf4\\x8f\\xbf\\xbd"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const std::string expected = row.escaped ? row.escaped : std::string(row.text);
    CHECK(escape_untrusted(row.text) == expected);
    CHECK(escape_line(row.text) == expected);
  }
  CHECK(escape_untrusted("\"\\") == "\\x22\\x5c");
  CHECK(escape_line("a=\"\\x0a\"") == "a=\"\\x0a\"");
}

TEST_CASE("log fields quote what is not plain", "[base]") {
  LogFields fields;
  fields.add("n", 5).add("from", "a@b.example").add("text", "two words").add("empty", "");
  CHECK(fields.str() == R"(n=5 from=a@b.example text="two words" empty="")");
  LogFields forged;
  forged.add("helo", "x\nt=1 verdict=pass");
  CHECK(forged.str() == R"(helo="x\x0at=1 verdict=pass")");
  LogFields large;
  large.add("k", std::string(LogFields::kMaxValue + 1, 'a'));
  CHECK(large.str() == "k=\"" + std::string(LogFields::kMaxValue, 'a') + "...\"");
}

TEST_CASE("case is ASCII only", "[base]") {
  CHECK(iequals("Received", "rECEIVED"));
  CHECK_FALSE(iequals("Received", "Receive"));
  CHECK_FALSE(iequals("\xC4", "\xE4"));
  CHECK(istarts_with("X-Mxfeed-Spam", "x-mxfeed-"));
  CHECK(split("a,b,,c", ',').size() == 4);
  CHECK(split("", ',').size() == 1);
  CHECK(trim(" \t a b \r\n") == "a b");
}

}  // namespace
}  // namespace mxfeed
