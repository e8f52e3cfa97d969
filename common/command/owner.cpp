// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command/owner.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/fault.h"
#include "common/command/exit_code.h"

namespace mxfeed {

void become_daemon(const std::filesystem::path& state, std::string_view daemon) {
  const auto directory = state / daemon;
  const std::string name = fmt::format("mxfeed-{}", daemon);
  struct stat found {};
  uid_t user = 0;
  gid_t group = 0;
  if (::stat(directory.c_str(), &found) == 0) {
    user = found.st_uid;
    group = found.st_gid;
  } else if (errno != ENOENT) {
    throw Fault("find owner", directory.string(), errno_text(errno));
  } else if (const passwd* const entry = ::getpwnam(name.c_str())) {
    user = entry->pw_uid;
    group = entry->pw_gid;
  } else {
    throw CommandError(ExitCode::wrong, name + " is not installed");
  }
  if (::geteuid() != 0 || user == 0) return;
  if (::setgroups(0, nullptr) != 0 || ::setgid(group) != 0 || ::setuid(user) != 0) {
    throw Fault("become owner", directory.string(), errno_text(errno));
  }
}

}  // namespace mxfeed
