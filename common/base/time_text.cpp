// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/time_text.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>

#include "common/base/text.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Takes parts from the front of a text; nothing if it does not begin with them.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::optional<int> number(std::size_t digits) {
    if (rest_.size() < digits) return std::nullopt;
    const auto value = parse_unsigned(rest_.substr(0, digits));
    if (!value) return std::nullopt;
    rest_.remove_prefix(digits);
    return static_cast<int>(*value);
  }
  bool one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == characters.npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_digits() {
    while (!rest_.empty() && is_digit(rest_.front())) rest_.remove_prefix(1);
  }
  char next() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool is_at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<seconds> read_zone(Reader& reader) {
  if (reader.one_of("Zz")) return seconds(0);
  const bool is_behind = reader.next() == '-';
  if (!reader.one_of("+-")) return std::nullopt;
  const auto hour = reader.number(2);
  if (!hour || !reader.one_of(":")) return std::nullopt;
  const auto minute = reader.number(2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  const seconds offset = hours(*hour) + minutes(*minute);
  return is_behind ? -offset : offset;
}

}  // namespace

std::optional<Time> parse_time(std::string_view text) {
  Reader reader(text);
  const auto year = reader.number(4);
  if (!year || !reader.one_of("-")) return std::nullopt;
  const auto month = reader.number(2);
  if (!month || !reader.one_of("-")) return std::nullopt;
  const auto day = reader.number(2);
  if (!day || !reader.one_of("Tt ")) return std::nullopt;
  const auto hour = reader.number(2);
  if (!hour || !reader.one_of(":")) return std::nullopt;
  const auto minute = reader.number(2);
  if (!minute) return std::nullopt;
  std::optional<int> second = 0;
  if (reader.one_of(":")) {
    second = reader.number(2);
    if (!second) return std::nullopt;
    if (reader.one_of(".")) reader.skip_digits();
  }
  const auto offset = read_zone(reader);
  const std::chrono::year_month_day date{
      std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!offset || !reader.is_at_end() || !date.ok() || *hour > 23 || *minute > 59 ||
      *second > 59) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + hours(*hour) + minutes(*minute) +
         seconds(*second) - *offset;
}

std::string format_time(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                     static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

}  // namespace mxfeed
