// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/scratch.h"

#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "common/base/fault.h"
#include "common/base/text.h"

namespace mxfeed::virus {
namespace {

constexpr std::uint64_t kReserve = 16ull << 20;
constexpr std::uint64_t kFiles = 1000;

// Creates the directory if it is missing; whether it is ours and nobody else can use it.
bool make_private(const std::filesystem::path& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return false;
  struct stat found {};
  return ::lstat(directory.c_str(), &found) == 0 && S_ISDIR(found.st_mode) &&
         found.st_uid == ::geteuid() && ::chmod(directory.c_str(), 0700) == 0;
}

// Keeps the directories of living processes: workers of a supervisor that was killed
// finish their scans, and without their directory they would find everything clean.
void empty(const std::filesystem::path& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const auto pid = parse_unsigned(entry.path().filename().string());
    const bool lives = pid && *pid > 0 && *pid < (1u << 30) &&
                       (::kill(static_cast<pid_t>(*pid), 0) == 0 || errno == EPERM);
    if (!lives) std::filesystem::remove_all(entry.path(), error);
  }
}

}  // namespace

bool is_in_memory(const std::filesystem::path& directory) {
  struct statfs found {};
  return ::statfs(directory.c_str(), &found) == 0 &&
         (found.f_type == TMPFS_MAGIC || found.f_type == RAMFS_MAGIC);
}

std::filesystem::path prepare_scratch(const std::filesystem::path& asked,
                                      const std::filesystem::path& data) {
  const std::string name = "mxfeed-scan-" + std::to_string(::geteuid()) + "-" +
                           std::to_string(std::hash<std::string>{}(data.string()));
  std::filesystem::path chosen = data / "tmp";
  if (!asked.empty()) {
    // Never that directory itself: it may be /tmp or /run and would be emptied.
    ::mkdir(asked.c_str(), 0700);
    chosen = asked / name;
  }
  if (!make_private(chosen)) {
    throw Fault("make temporary directory", chosen.string(), errno_text(errno));
  }
  if (asked.empty() && !is_in_memory(chosen)) {
    for (const std::filesystem::path base : {"/dev/shm", "/run"}) {
      if (is_in_memory(base) && make_private(base / name)) {
        chosen = base / name;
        break;
      }
    }
  }
  empty(chosen);
  return chosen;
}

void discard_scratch(const std::filesystem::path& base) noexcept {
  try {
    empty(base);
    std::error_code error;
    std::filesystem::remove(base, error);  // not if something is left in it
  } catch (...) {  // out of memory: it is emptied at the next start
  }
}

std::filesystem::path scratch_of(const std::filesystem::path& base, int pid) {
  return base / std::to_string(pid);
}

void remove_scratch(const std::filesystem::path& base, int pid) noexcept {
  try {
    std::error_code error;
    std::filesystem::remove_all(scratch_of(base, pid), error);
  } catch (...) {  // out of memory: it is emptied at the next start
  }
}

void make_scratch(const std::filesystem::path& directory) noexcept {
  ::mkdir(directory.c_str(), 0700);
}

bool has_room(const char* directory, std::uint64_t message_size) noexcept {
  struct statvfs found {};
  if (::statvfs(directory, &found) != 0) return false;
  const bool counts_inodes = found.f_files > 0;
  return found.f_bavail * found.f_frsize >= kReserve + 3 * message_size &&
         (!counts_inodes || found.f_favail >= kFiles);
}

std::optional<std::string> scratch_trouble(const std::filesystem::path& directory,
                                           std::uint64_t message_size) {
  const std::string& name = directory.native();
  struct stat found {};
  if (::stat(name.c_str(), &found) != 0) return name + ": " + errno_text(errno);
  if (!has_room(name.c_str(), message_size)) return name + ": not enough free space";
  const std::string probe = name + "/probe";
  if (::mkdir(probe.c_str(), 0700) != 0 && errno != EEXIST) {
    return name + ": " + errno_text(errno);
  }
  ::rmdir(probe.c_str());
  return std::nullopt;
}

}  // namespace mxfeed::virus
