// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "common/base/text.h"

namespace mxfeed {
namespace {

std::string& log_name() {
  static std::string name = "mxfeed";
  return name;
}

bool is_plain(std::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._:@/+,<>=-[]").find(c) != std::string_view::npos;
  });
}

bool under_journal() {
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  return journal;
}

std::string timestamp() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                     parts.tm_sec);
}

}  // namespace

LogFields& LogFields::add(std::string_view key, std::string_view value) {
  if (is_plain(value) && value.size() <= kMaxValue) return add_raw(key, value);
  std::string quoted = "\"";
  quoted += escape_untrusted(value.substr(0, kMaxValue));
  if (value.size() > kMaxValue) quoted += "...";
  quoted += '"';
  return add_raw(key, quoted);
}

LogFields& LogFields::add_raw(std::string_view key, std::string_view value) {
  if (!text_.empty()) text_ += ' ';
  text_.append(key).append("=").append(value);
  return *this;
}

void log(Severity severity, std::string_view text) noexcept {
  try {
    const std::string harmless = escape_line(text);
    const std::string line =
        under_journal() ? fmt::format("<{}>{}\n", static_cast<int>(severity), harmless)
                        : fmt::format("{} {}[{}]: {}\n", timestamp(), log_name(),
                                      ::getpid(), harmless);
    // A log that cannot be written has nowhere to be reported.
    [[maybe_unused]] const auto written =
        ::write(STDERR_FILENO, line.data(), line.size());
  } catch (...) {  // out of memory: the line is lost, the message is not
  }
}

void set_log_name(std::string_view name) {
  log_name() = name;
}

}  // namespace mxfeed
