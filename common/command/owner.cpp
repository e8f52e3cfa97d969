// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command/owner.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>

#include "common/base/fault.h"
#include "common/command/exit_code.h"

namespace mxfeed {

namespace {

struct Owner {
  uid_t user = 0;
  gid_t group = 0;
};

// Whom the daemon's directory belongs to; nothing if that is who runs the command.
std::optional<Owner> other_owner(const std::filesystem::path& state,
                                 std::string_view daemon) {
  const auto directory = state / daemon;
  const std::string name = fmt::format("mxfeed-{}", daemon);
  struct stat found {};
  Owner owner;
  if (::stat(directory.c_str(), &found) == 0) {
    owner = {found.st_uid, found.st_gid};
  } else if (errno != ENOENT) {
    throw Fault("find owner", directory.string(), errno_text(errno));
  } else if (const passwd* const entry = ::getpwnam(name.c_str())) {
    owner = {entry->pw_uid, entry->pw_gid};
  } else {
    throw CommandError(ExitCode::wrong, name + " is not installed");
  }
  if (::geteuid() != 0 || owner.user == 0) return std::nullopt;
  return owner;
}

[[noreturn]] void refused(const std::filesystem::path& state, std::string_view daemon) {
  throw Fault("become owner", (state / daemon).string(), errno_text(errno));
}

}  // namespace

void become_daemon(const std::filesystem::path& state, std::string_view daemon) {
  const auto owner = other_owner(state, daemon);
  if (!owner) return;
  if (::setgroups(0, nullptr) != 0 || ::setgid(owner->group) != 0 ||
      ::setuid(owner->user) != 0) {
    refused(state, daemon);
  }
}

ActingDaemon::ActingDaemon(const std::filesystem::path& state, std::string_view daemon) {
  const auto owner = other_owner(state, daemon);
  if (!owner) return;
  if (::setgroups(0, nullptr) != 0 || ::setegid(owner->group) != 0) {
    refused(state, daemon);
  }
  if (::seteuid(owner->user) != 0) {
    const int cause = errno;
    if (::setegid(0) != 0) std::abort();
    errno = cause;
    refused(state, daemon);
  }
  is_other_ = true;
}

ActingDaemon::~ActingDaemon() {
  if (!is_other_) return;
  if (::seteuid(0) != 0 || ::setegid(0) != 0) std::abort();
}

}  // namespace mxfeed
