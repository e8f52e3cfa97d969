// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/mail_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/line_splitter.h"
#include "common/base/process.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMostLine = 64 << 10;
constexpr std::chrono::minutes kMostOfJournal{10};
constexpr const char* kJournal = "journal";

std::string name_of(const struct stat& status) {
  return fmt::format("{}:{}", status.st_dev, status.st_ino);
}

// Returns the offset after the last whole line.
std::uint64_t read_lines(int fd, const std::filesystem::path& file, std::uint64_t from,
                         std::uint64_t to,
                         const std::function<void(std::string_view line)>& see) {
  std::array<char, 64 << 10> buffer;
  LineSplitter lines(kMostLine);
  while (from < to) {
    const auto wanted = std::min<std::uint64_t>(buffer.size(), to - from);
    const auto got = ::pread(fd, buffer.data(), wanted, static_cast<off_t>(from));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Fault("read log", file.string(), errno_text(errno));
    if (got == 0) break;  // it was cut meanwhile
    const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
    from += text.size();
    lines.feed(text, see);
  }
  return from - lines.unfinished();
}

LogMark read_journal(const std::optional<LogMark>& since, Time now,
                     const std::function<void(std::string_view line)>& see) {
  if (since) {
    // It may have been another clock, or long ago.
    const Time from = std::clamp(since->at, now - kMostOfJournal, now);
    run_command({"journalctl", "--no-pager", "-q", "-o", "short", "-t",
                 "postfix/mxfeed-relay/smtp", "-t", "postfix/mxfeed-soft/smtp", "--since",
                 // A time for journalctl(1).
                 fmt::format("@{}", from.time_since_epoch().count())},
                "", see);
  }
  return {kJournal, 0, now};
}

}  // namespace

std::filesystem::path mail_log_file(std::string_view maillog_file) {
  return maillog_file.empty() ? "/var/log/mail.log" : maillog_file;
}

std::string LogMark::str() const {
  return fmt::format("{} {} {}", file, offset, at.time_since_epoch().count());
}

std::optional<LogMark> LogMark::parse(std::string_view text) {
  const auto words = split(text, ' ');
  if (words.size() != 3 || words[0].empty()) return std::nullopt;
  const auto offset = parse_unsigned(words[1]);
  const auto at = parse_unsigned(words[2]);
  if (!offset || !at) return std::nullopt;
  return LogMark{std::string(words[0]), *offset, Time(std::chrono::seconds(*at))};
}

LogMark read_mail_log(const std::filesystem::path& file,
                      const std::optional<LogMark>& since, Time now,
                      const std::function<void(std::string_view line)>& see) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT) return read_journal(since, now, see);
    throw Fault("open log", file.string(), errno_text(errno));
  }
  struct stat status;
  if (::fstat(fd.get(), &status) != 0) {
    throw Fault("read log", file.string(), errno_text(errno));
  }
  if (!S_ISREG(status.st_mode)) throw Fault("read log", file.string(), "no regular file");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  LogMark mark{name_of(status), size, now};
  if (!since || since->file == kJournal) return mark;
  // A file that has become shorter was begun again.
  const bool is_same = since->file == mark.file && since->offset <= size;
  const std::uint64_t from = is_same ? since->offset : 0;
  mark.offset = read_lines(fd.get(), file,
                           std::max(from, size - std::min(size, kMostLog)), size, see);
  return mark;
}

}  // namespace mxfeed
