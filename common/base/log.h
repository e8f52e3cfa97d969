// SPDX-License-Identifier: GPL-2.0-or-later
//
// The log: lines on standard error, which systemd hands to the journal.  One line a
// decision, fields as key=value, values from peers quoted and escaped.

#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace mxfeed {

enum class Severity { error = 3, warning = 4, notice = 5, info = 6 };

// Builds "key=value key=value".  A value that is empty, or has anything but letters,
// digits and ._:@/+,<>=-[], is quoted and escaped by escape_untrusted(); one of more than
// kMaxValue bytes is cut and ends with "...".
class LogFields {
 public:
  static constexpr std::size_t kMaxValue = 512;

  LogFields& add(std::string_view key, std::string_view value);
  LogFields& add(std::string_view key, std::integral auto value) {
    return add_raw(key, std::to_string(value));
  }

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  LogFields& add_raw(std::string_view key, std::string_view value);
  std::string text_;
};

// Writes one line with one write(2), so that lines of threads and processes do not mix.
// Under the journal it begins with "<N>" (sd-daemon(3)), elsewhere with the time and the
// program's name.  `text` is escaped by escape_line().  Never throws, never blocks on a
// lock.
void log(Severity severity, std::string_view text) noexcept;
inline void log(Severity severity, const LogFields& fields) noexcept {
  log(severity, fields.str());
}

// The name that log lines begin with; call once at start, before threads.
void set_log_name(std::string_view name);

}  // namespace mxfeed
