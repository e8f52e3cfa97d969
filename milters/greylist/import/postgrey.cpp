// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/import/postgrey.h"

#include <algorithm>
#include <limits>

#include "common/base/text.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

// db_dump -p: a backslash is doubled, other bytes than printable ones are "\c3".
std::optional<std::string> unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result += text[i];
    } else if (text.substr(i + 1, 1) == "\\") {
      result += text[++i];
    } else {
      const auto byte = from_hex(text.substr(i + 1, 2));
      if (!byte || byte->empty()) return std::nullopt;
      result += *byte;
      i += 2;
    }
  }
  return result;
}

bool is_hashed(std::string_view key) {
  constexpr std::size_t kSha1 = 40;
  return key.size() == kSha1 && from_hex(key).has_value();
}

// "PASSES,LAST"
ForeignEntry client_of(const IpAddress& client, const std::string_view first,
                       std::string_view second) {
  const auto passes = parse_unsigned(first);
  const auto last = parse_stored_time(second);
  if (!passes || !last) return Fate::malformed;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return ForeignRecord{ForeignState::host,
                       client,
                       {},
                       {},
                       *last,
                       *last,
                       static_cast<std::uint32_t>(std::min(*passes, kMost))};
}

ForeignEntry pair_of(std::string_view key, std::string_view value, seconds delay) {
  const auto times = split(value, ',');
  if (times.size() < 2) return Fate::malformed;
  // A sender may have a slash in it.
  const auto first_slash = key.find('/');
  const auto last_slash = key.rfind('/');
  const auto client = IpAddress::parse(key.substr(0, first_slash));
  if (first_slash == std::string_view::npos) {
    return client ? client_of(*client, times[0], times[1]) : Fate::malformed;
  }
  const auto first = parse_stored_time(times[0]);
  const auto last = parse_stored_time(times[1]);
  const auto recipient = key.substr(last_slash + 1);
  if (!client || first_slash == last_slash || !first || !last ||
      recipient.find('@') == std::string_view::npos) {
    return Fate::malformed;
  }
  const bool has_passed = *last - *first >= delay;
  return ForeignRecord{
      has_passed ? ForeignState::passed : ForeignState::waiting,
      *client,
      std::string(key.substr(first_slash + 1, last_slash - first_slash - 1)),
      std::string(recipient),
      *first,
      *last,
      has_passed ? 1u : 0u};
}

ForeignEntry entry_of(std::string_view key, std::string_view value, seconds delay) {
  if (is_hashed(key)) return Fate::hashed;
  return pair_of(key, value, delay);
}

}  // namespace

std::optional<ForeignEntry> PostgreyReader::take(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (state_ != State::lines) return take_dumped(line);
  if (line.empty()) return std::nullopt;
  if (line.starts_with("VERSION=")) {
    state_ = State::header;
    is_hexadecimal_ = true;
    return std::nullopt;
  }
  const auto tab = line.rfind('\t');
  if (tab == std::string_view::npos) return Fate::malformed;
  return entry_of(line.substr(0, tab), line.substr(tab + 1), delay_);
}

std::optional<ForeignEntry> PostgreyReader::take_dumped(std::string_view line) {
  if (state_ == State::header) {
    if (line == "format=print") is_hexadecimal_ = false;
    if (line == "HEADER=END") state_ = State::keys;
    return std::nullopt;
  }
  if (line == "DATA=END") {
    const bool has_value = state_ == State::keys;
    state_ = State::lines;
    if (has_value) return std::nullopt;
    return Fate::malformed;
  }
  if (line.starts_with(' ')) line.remove_prefix(1);
  auto text = is_hexadecimal_ ? from_hex(line) : unescape(line);
  if (state_ == State::keys) {
    state_ = State::values;
    key_ = std::move(text);
    return std::nullopt;
  }
  state_ = State::keys;
  if (!key_ || !text) return Fate::malformed;
  return entry_of(*key_, *text, delay_);
}

}  // namespace mxfeed::greylist
