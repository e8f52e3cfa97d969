// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/sockets.h"

#include <fmt/format.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "common/base/file.h"
#include "common/base/text.h"
#include "postfix-conf/generate/main_cf.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kWrite = 2;
constexpr mode_t kSearch = 1;
constexpr int kMostGroups = 1024;

bool has_right(const ProcessUser& user, const Access& file, mode_t right) {
  if (user.user == 0) return true;
  if (user.user == file.owner) return (file.mode >> 6 & right) != 0;
  const bool in_group =
      std::find(user.groups.begin(), user.groups.end(), file.group) != user.groups.end();
  return (file.mode >> (in_group ? 3 : 0) & right) != 0;
}

std::optional<Access> access_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Access{status.st_uid, status.st_gid, status.st_mode};
}

// With all of its groups, as smtpd(8) takes them.
std::optional<ProcessUser> process_user(const std::string& name) {
  const passwd* const entry = ::getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  ProcessUser user{entry->pw_uid, std::vector<gid_t>(kMostGroups)};
  int count = kMostGroups;
  if (::getgrouplist(name.c_str(), entry->pw_gid, user.groups.data(), &count) < 0) {
    return std::nullopt;
  }
  user.groups.resize(static_cast<std::size_t>(count));
  return user;
}

// Empty if smtpd(8) can use it.
std::string cause_of(const fs::path& queue, const fs::path& path,
                     const std::string& owner) {
  std::error_code error;
  if (!fs::is_socket(path, error)) return "no socket there";
  const auto user = process_user(owner);
  const auto socket = access_of(path);
  if (!user || !socket) return {};
  std::vector<Access> directories;
  for (auto at = path.parent_path();; at = at.parent_path()) {
    if (const auto access = access_of(at)) directories.push_back(*access);
    if (at == queue || at == at.parent_path()) break;
  }
  if (may_connect(*user, directories, *socket)) return {};
  return fmt::format(
      "the user {} of Postfix may not connect to it: see its owner, group "
      "and mode, and those of its directory",
      escape_untrusted(owner));
}

}  // namespace

bool may_connect(const ProcessUser& user, const std::vector<Access>& directories,
                 const Access& socket) {
  return has_right(user, socket, kWrite) &&
         std::all_of(directories.begin(), directories.end(),
                     [&](const Access& one) { return has_right(user, one, kSearch); });
}

bool is_port_in_use(std::uint16_t port) {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return false;
  // Connections that have ended do not count.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
             0 &&
         errno == EADDRINUSE;
}

std::vector<UnusableSocket> unusable_sockets(const PostfixSettings& settings,
                                             const PostfixNeeds& needs) {
  constexpr std::string_view kOurs = "unix:mxfeed/";
  constexpr std::string_view kUnix = "unix:";
  std::vector<UnusableSocket> found;
  const fs::path queue = settings.parameter("queue_directory");
  const std::string owner(settings.parameter("mail_owner"));
  for (auto& milter : milters_in(needs.parameter(kMiltersParameter))) {
    if (!milter.endpoint.starts_with(kOurs)) continue;
    // Of a service in a chroot and of one that is not the same.
    const auto path = queue / milter.endpoint.substr(kUnix.size());
    auto cause = cause_of(queue, path, owner);
    if (cause.empty()) continue;
    found.push_back({std::move(milter), fmt::format("{}: {}", path.string(), cause)});
  }
  return found;
}

}  // namespace mxfeed
