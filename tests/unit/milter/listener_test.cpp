// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <future>
#include <thread>

#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/milter/session_loss.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

using namespace mxfeed;
using namespace std::chrono_literals;

namespace {

bool room = true;
bool has_room() {
  return room;
}

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.native().size() < sizeof address.sun_path);
  std::strcpy(address.sun_path, path.c_str());
  return address;
}

Fd bound_socket(const std::filesystem::path& path) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  const sockaddr_un address = address_of(path);
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
          0);
  return fd;
}

// errno if nobody listens there.
int connect_to(const std::filesystem::path& path, Fd& client) {
  client.reset(::socket(AF_UNIX, SOCK_STREAM, 0));
  const sockaddr_un address = address_of(path);
  return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address),
                   sizeof address) == 0
             ? 0
             : errno;
}

std::uint64_t lost(SessionLoss loss) {
  return counter("mxfeed_sessions_lost_total",
                 "reason=\"" + std::string(to_string(loss)) + '"')
      .value();
}

// A listener at a unix socket.
struct Unix {
  Unix() : path(directory.path() / "milter"), fd(bound_socket(path)), listener(has_room) {
    room = true;
    REQUIRE(::chmod(path.c_str(), 0640) == 0);
    REQUIRE(listener.listen(fd.get(), 16) == 0);
    listener.watch_path();
  }
  int accept() { return listener.accept(fd.get(), nullptr, nullptr); }
  void check_serves() {
    Fd client;
    REQUIRE(connect_to(path, client) == 0);
    pollfd watched{fd.get(), POLLIN, 0};
    REQUIRE(listener.poll(watched, 10'000) == 1);
    CHECK(watched.revents == POLLIN);
    const Fd accepted(accept());
    CHECK(accepted);
  }

  TempDirectory directory;
  std::filesystem::path path;
  Fd fd;
  Listener listener;
};

// An address of this host at which nothing listens yet.
Fd bound_tcp(sockaddr_in& address) {
  Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return fd;
}

}  // namespace

TEST_CASE("listener: a connection is accepted, closed on exec") {
  Unix at;
  Fd client;
  REQUIRE(connect_to(at.path, client) == 0);
  const Fd accepted(at.accept());
  REQUIRE(accepted);
  CHECK((::fcntl(accepted.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK_FALSE(at.listener.is_tcp());
}

TEST_CASE("listener: without room a connection is closed and counted") {
  Unix at;
  Fd client;
  REQUIRE(connect_to(at.path, client) == 0);
  room = false;
  const auto before = lost(SessionLoss::limit);
  CHECK(at.accept() == -1);
  CHECK(errno == EAGAIN);
  CHECK(lost(SessionLoss::limit) == before + 1);
  char byte;
  CHECK(::read(client.get(), &byte, 1) == 0);
  room = true;
  at.check_serves();
}

TEST_CASE("listener: out of descriptors it pauses and goes on") {
  Unix at;
  Fd client;
  REQUIRE(connect_to(at.path, client) == 0);
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  rlimit none = limit;
  none.rlim_cur = 0;
  const auto before = lost(SessionLoss::descriptors);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto start = std::chrono::steady_clock::now();
  const int refused = at.accept();
  const int error = errno;
  const auto took = std::chrono::steady_clock::now() - start;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(refused == -1);
  CHECK(error == EMFILE);
  CHECK(took >= 50ms);
  CHECK(lost(SessionLoss::descriptors) == before + 1);
  const Fd accepted(at.accept());  // it had waited
  CHECK(accepted);
}

TEST_CASE("listener: a socket that is there is left alone") {
  Unix at;
  const auto before =
      counter("mxfeed_sockets_restored_total", R"(socket="milter")").value();
  for (int i = 0; i < 3; ++i) at.listener.keep_reachable();
  CHECK(counter("mxfeed_sockets_restored_total", R"(socket="milter")").value() == before);
  at.check_serves();
}

TEST_CASE("listener: a socket that was removed is bound again") {
  Unix at;
  const auto before =
      counter("mxfeed_sockets_restored_total", R"(socket="milter")").value();
  for (std::uint64_t times = 1; times <= 2; ++times) {
    REQUIRE(std::filesystem::remove(at.path));
    const ::mode_t mask = ::umask(0777);
    at.listener.keep_reachable();
    ::umask(mask);
    CHECK(counter("mxfeed_sockets_restored_total", R"(socket="milter")").value() ==
          before + times);
    struct stat found {};
    REQUIRE(::lstat(at.path.c_str(), &found) == 0);
    CHECK((found.st_mode & 07777) == 0640);
    CHECK((::fcntl(at.fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
    pollfd watched{at.fd.get(), POLLIN, 0};
    CHECK(at.listener.poll(watched, -1) == 0);  // says that something changed
    at.check_serves();
  }
}

TEST_CASE("listener: who waits is woken when the socket is bound again") {
  Unix at;
  auto waits = std::async(std::launch::async, [&] {
    pollfd watched{at.fd.get(), POLLIN, 0};
    return at.listener.poll(watched, -1);
  });
  REQUIRE(std::filesystem::remove(at.path));
  at.listener.keep_reachable();
  CHECK(waits.get() == 0);
}

TEST_CASE("listener: a socket that cannot be bound again is a fault") {
  Unix at;
  SECTION("another socket is there") {
    REQUIRE(std::filesystem::remove(at.path));
    const Fd other = bound_socket(at.path);
    CHECK_THROWS_AS(at.listener.keep_reachable(), Fault);
    CHECK(std::filesystem::exists(at.path));
  }
  SECTION("another file is there") {
    REQUIRE(std::filesystem::remove(at.path));
    write_file(at.path, "text");
    CHECK_THROWS_AS(at.listener.keep_reachable(), Fault);
  }
  SECTION("the directory has gone") {
    std::filesystem::remove_all(at.directory.path());
    CHECK_THROWS_AS(at.listener.keep_reachable(), Fault);
  }
}

TEST_CASE("listener: a closed unix socket has no path, and serves who had connected") {
  Unix at;
  Fd early, late;
  REQUIRE(connect_to(at.path, early) == 0);
  at.listener.close();
  CHECK(connect_to(at.path, late) == ENOENT);
  const Fd accepted(at.accept());
  CHECK(accepted);
  at.listener.keep_reachable();  // not watched any more
  CHECK_FALSE(std::filesystem::exists(at.path));
}

TEST_CASE("listener: a closed unix socket leaves the path to another one") {
  Unix at;
  REQUIRE(std::filesystem::remove(at.path));
  const Fd other = bound_socket(at.path);
  at.listener.close();
  CHECK(std::filesystem::exists(at.path));
}

TEST_CASE("listener: one that is not watched accepts nobody once it is closed") {
  const TempDirectory directory;
  const auto path = directory.path() / "milter";
  const Fd fd = bound_socket(path);
  Listener listener(has_room);
  REQUIRE(listener.listen(fd.get(), 16) == 0);
  listener.close();
  Fd client;
  CHECK(connect_to(path, client) == ECONNREFUSED);
  pollfd watched{fd.get(), POLLIN, 0};
  CHECK(listener.poll(watched, -1) == 0);
  CHECK(listener.poll(watched, 0) == 0);
}

TEST_CASE("listener: a number that was closed is not touched") {
  Unix at;
  at.listener.forget(at.fd.get());
  at.listener.close();
  Fd client;
  CHECK(connect_to(at.path, client) == 0);
}

TEST_CASE("listener: TCP answers at once, and refuses once it is closed") {
  sockaddr_in address{};
  const Fd fd = bound_tcp(address);
  room = true;
  Listener listener(has_room);
  REQUIRE(listener.listen(fd.get(), 16) == 0);
  CHECK(listener.is_tcp());
  listener.watch_path();  // nothing to watch
  listener.keep_reachable();
  const Fd client(::socket(AF_INET, SOCK_STREAM, 0));
  REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address),
                    sizeof address) == 0);
  const Fd accepted(listener.accept(fd.get(), nullptr, nullptr));
  REQUIRE(accepted);
  int on = 0;
  socklen_t size = sizeof on;
  REQUIRE(::getsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0);
  CHECK(on != 0);
  listener.close();
  const Fd late(::socket(AF_INET, SOCK_STREAM, 0));
  CHECK(::connect(late.get(), reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) == -1);
  CHECK(errno == ECONNREFUSED);
}
