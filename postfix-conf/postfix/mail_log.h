// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads on in the log of Postfix: a file, or the journal if there is no such file.

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"

namespace mxfeed {

// Where Postfix logs to, if there is such a file.  `maillog_file` is that parameter.
std::filesystem::path mail_log_file(std::string_view maillog_file);

// How far the log was read.
struct LogMark {
  std::string file;          // which file it was, also after it was renamed
  std::uint64_t offset = 0;  // of the first byte that was not read
  Time at{};

  // One line of text, to be stored.
  std::string str() const;
  static std::optional<LogMark> parse(std::string_view text);
  bool operator==(const LogMark&) const = default;
};

// A run reads at most so much, and leaves out what is older.
inline constexpr std::uint64_t kMostLog = 64 << 20;

// Shows the whole lines that were logged since the mark, or none if there is no mark, and
// returns the next mark.  What was logged before the log was rotated, and not yet read,
// is left out.  Throws Fault.
LogMark read_mail_log(const std::filesystem::path& file,
                      const std::optional<LogMark>& since, Time now,
                      const std::function<void(std::string_view line)>& see);

}  // namespace mxfeed
