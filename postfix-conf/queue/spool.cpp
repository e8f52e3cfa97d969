// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

// hash_queue_depth is at most 2 in practice.
constexpr int kMostDepth = 8;

Time time_of(const timespec& time) {
  return Time(std::chrono::seconds(time.tv_sec));
}

// Calls file(name, stat) for each regular file below the directory.
void walk(int parent, const std::string& path, int depth,
          const std::function<void(const char*, const struct stat&)>& file) {
  const int number =
      ::openat(parent, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (number < 0) {
    if (errno == ENOENT && depth > 0) return;
    throw Fault("read queue", path, errno_text(errno));
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(number), ::closedir);
  if (!directory) {
    const int error = errno;
    ::close(number);
    throw Fault("read queue", path, errno_text(error));
  }
  while (const dirent* const entry = ::readdir(directory.get())) {
    if (entry->d_name[0] == '.') continue;
    struct stat status;
    if (::fstatat(number, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISREG(status.st_mode)) {
      file(entry->d_name, status);
    } else if (S_ISDIR(status.st_mode) && depth < kMostDepth) {
      walk(number, entry->d_name, depth + 1, file);
    }
  }
}

}  // namespace

Spool::Spool(const std::filesystem::path& queue_directory) {
  std::unordered_map<std::string, Time> logs;
  walk(AT_FDCWD, (queue_directory / "defer").string(), 0,
       [&](const char* name, const struct stat& status) {
         // An empty one tells nothing.
         if (status.st_size > 0) logs.emplace(name, time_of(status.st_mtim));
       });
  walk(AT_FDCWD, (queue_directory / "deferred").string(), 0,
       [&](const char* name, const struct stat& status) {
         Attempts attempts;
         attempts.next = time_of(status.st_mtim);
         const auto log = logs.find(name);
         if (log != logs.end()) {
           attempts.last = std::min(log->second, time_of(status.st_ctim));
         }
         attempts_.emplace(name, attempts);
       });
}

Attempts Spool::attempts(const std::string& id) const {
  const auto found = attempts_.find(id);
  return found == attempts_.end() ? Attempts() : found->second;
}

std::optional<Time> postfix_started(const std::filesystem::path& queue_directory) {
  struct stat status;
  // master(8) writes it when it starts, and not when it reloads.
  const auto file = queue_directory / "pid" / "master.pid";
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  const auto pid = parse_unsigned(trim(read_file(file, 100).value_or("")));
  if (!pid) return std::nullopt;
  // `postfix status` would write a line to the log each time.
  const auto name = read_file(fmt::format("/proc/{}/comm", *pid), 100);
  if (trim(name.value_or("")) != "master") return std::nullopt;
  return time_of(status.st_mtim);
}

}  // namespace mxfeed
