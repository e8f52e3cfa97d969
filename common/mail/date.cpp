// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/date.h"

#include <fmt/chrono.h>

#include <chrono>
#include <cstddef>
#include <string>

#include "common/base/text.h"

namespace mxfeed {
namespace {

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

}  // namespace

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

std::string format_date(Time time) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000",
                     fmt::gmtime(time.time_since_epoch().count()));
}

}  // namespace mxfeed
