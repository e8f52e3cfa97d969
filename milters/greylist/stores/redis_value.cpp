// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/stores/redis_value.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>

#include "common/base/text.h"

namespace mxfeed::greylist {

using std::chrono::seconds;

namespace {

// The last second of the year 9999, and as long before 1970: sums do not overflow.
constexpr std::int64_t kFarthest = 253'402'300'799;

bool is_time(std::int64_t value) {
  return value >= -kFarthest && value <= kFarthest;
}

}  // namespace

std::string encode_record(const Key& key, const Record& record) {
  const auto number = [](Time time) { return time.time_since_epoch().count(); };
  return fmt::format("1 {} {} {} {} {} {} {}\n{}\n{}", static_cast<int>(key.about),
                     static_cast<int>(key.identity.kind), key.is_second ? 1 : 0,
                     number(record.first_seen), number(record.last_seen),
                     number(record.expires), record.passes, key.identity.text,
                     key.domain);
}

std::optional<StoredRecord> decode_record(std::string_view value) {
  const auto lines = split(value, '\n');
  if (lines.size() != 3) return std::nullopt;
  const auto words = split(lines[0], ' ');
  std::array<std::int64_t, 8> numbers{};
  if (words.size() != numbers.size()) return std::nullopt;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const char* const end = words[i].data() + words[i].size();
    const auto [stop, error] = std::from_chars(words[i].data(), end, numbers.at(i));
    if (error != std::errc() || stop != end) return std::nullopt;
  }
  const auto& [version, about, kind, second, first, last, expires, passes] = numbers;
  if (version != 1 || about < 1 || about > 5 || kind < 0 || kind > 2 || second < 0 ||
      second > 1 || passes < 0 || passes > std::numeric_limits<std::uint32_t>::max() ||
      !is_time(first) || !is_time(last) || !is_time(expires)) {
    return std::nullopt;
  }
  const auto time = [](std::int64_t at) { return Time{seconds(at)}; };
  StoredRecord stored;
  stored.key.about = static_cast<About>(about);
  stored.key.identity = {static_cast<IdentityKind>(kind), std::string(lines[1])};
  stored.key.domain = std::string(lines[2]);
  stored.key.is_second = second != 0;
  stored.record = {time(first), time(last), time(expires),
                   static_cast<std::uint32_t>(passes)};
  return stored;
}

}  // namespace mxfeed::greylist
