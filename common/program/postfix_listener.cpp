// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/program/postfix_listener.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::string_view kPathScheme = "unix:";
constexpr std::string_view kDescriptorScheme = "fd:";
constexpr std::uint64_t kMostDescriptor = 1023;

// Postfix's processes connect as members of the group postfix.
void open_to_postfix(const std::filesystem::path& path) {
  const group* const postfix = ::getgrnam("postfix");
  if (postfix == nullptr) return;
  if (::chown(path.c_str(), static_cast<uid_t>(-1), postfix->gr_gid) != 0) {
    log(Severity::warning,
        LogFields()
            .add("event", "listen")
            .add("socket", path.string())
            .add("fault", "cannot give the socket to the group postfix"));
  }
}

}  // namespace

UnixListener listen_for_postfix(std::string_view socket, int backlog) {
  if (socket.starts_with(kPathScheme)) {
    UnixListener listener(socket.substr(kPathScheme.size()), SOCK_STREAM, 0660, backlog);
    open_to_postfix(listener.path());
    return listener;
  }
  const auto fd = socket.starts_with(kDescriptorScheme)
                      ? parse_unsigned(socket.substr(kDescriptorScheme.size()))
                      : std::nullopt;
  if (!fd || *fd > kMostDescriptor) {
    throw Fault("listen", std::string(socket), "neither unix:PATH nor fd:NUMBER");
  }
  return UnixListener::handed_over(static_cast<int>(*fd), SOCK_STREAM);
}

void restore_for_postfix(UnixListener& listener, std::string_view socket, int backlog,
                         std::string_view daemon) {
  if (listener.is_handed_over() || listener.is_at_path() ||
      is_listened_at(listener.path())) {
    return;
  }
  listener = listen_for_postfix(socket, backlog);
  counter("mxfeed_sockets_restored_total", fmt::format(R"(socket="{}")", daemon)).add();
  log(Severity::warning, LogFields()
                             .add("event", "socket")
                             .add("socket", std::string(socket))
                             .add("result", "the socket was removed; bound again"));
}

}  // namespace mxfeed
