// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/recipients_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <utility>

#include "common/base/fault.h"
#include "common/base/unix_socket.h"

namespace mxfeed {
namespace {

constexpr std::string_view kDoing = "ask mxfeed-recipients";
constexpr const char* kSocket = "mxfeed/recipients.sock";
constexpr std::chrono::seconds kPatience{2};
constexpr std::size_t kMostReply = 256;
constexpr std::string_view kNoOpinion = "action=DUNNO\n\n";

}  // namespace

RecipientsClient::RecipientsClient(const std::filesystem::path& queue_directory)
    : socket_(queue_directory / kSocket) {
  auto fd = connect_unix(kDoing, socket_, SOCK_STREAM, kPatience);
  if (!fd) fail("timed out");
  fd_ = *std::move(fd);
  const timeval patience{kPatience.count(), 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

bool RecipientsClient::tell_delivered(std::string_view recipient) {
  return ask(fmt::format("request=mxfeed_delivered\nrecipient={}\n\n", recipient)) ==
         kNoOpinion;
}

void RecipientsClient::check() {
  // It has no opinion about requests that it does not know.
  if (ask("request=mxfeed_check\n\n") != kNoOpinion) fail("malformed reply");
}

std::string RecipientsClient::ask(std::string_view request) {
  if (!send_all(fd_.get(), request)) fail(errno_text(errno));
  std::string reply;
  while (!reply.ends_with("\n\n")) {
    std::array<char, kMostReply> buffer;
    const auto got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(errno == EAGAIN ? "timed out" : errno_text(errno));
    if (got == 0) fail("it closed the connection");
    reply.append(buffer.data(), static_cast<std::size_t>(got));
    if (reply.size() > kMostReply) fail("malformed reply");
  }
  return reply;
}

void RecipientsClient::fail(const std::string& cause) const {
  throw Fault(kDoing, socket_.string(), cause);
}

}  // namespace mxfeed
