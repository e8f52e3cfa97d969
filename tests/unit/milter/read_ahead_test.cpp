// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/read_ahead.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "common/base/file.h"
#include "tests/support/catch.h"

using namespace mxfeed;

namespace {

// A connection as libmilter has it: `ours` comes from accept().  From the first one on
// the whole test program reads ahead.
struct Pair {
  Pair() {
    start_reading_ahead();
    const Fd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socklen_t size = sizeof address.sun_family;  // the kernel chooses a name
    REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener.get(), 1) == 0);
    size = sizeof address;
    REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) ==
            0);
    peer.reset(::socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(::connect(peer.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    ours = ::accept(listener.get(), nullptr, nullptr);
    REQUIRE(ours >= 0);
  }
  ~Pair() {
    if (ours >= 0) ::close(ours);
  }

  void send(std::string_view bytes) const {
    REQUIRE(::write(peer.get(), bytes.data(), bytes.size()) ==
            static_cast<ssize_t>(bytes.size()));
  }

  Fd peer;
  int ours = -1;
};

std::string read_from(int fd, std::size_t most) {
  std::string bytes(most, '\0');
  const ssize_t got = ::read(fd, bytes.data(), most);
  REQUIRE(got >= 0);
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

// What poll() says at once of who waits to read.
int ready(int fd) {
  pollfd watched{fd, POLLIN, 0};
  REQUIRE(::poll(&watched, 1, 0) >= 0);
  return watched.revents;
}

int left_in_kernel(int fd) {
  int bytes = -1;
  REQUIRE(::ioctl(fd, FIONREAD, &bytes) == 0);
  return bytes;
}

}  // namespace

TEST_CASE("read ahead: what has come is given out piece by piece, in order") {
  const Pair pair;
  pair.send("packet");
  pair.send(" one, two");
  CHECK(read_from(pair.ours, 1) == "p");
  CHECK(left_in_kernel(pair.ours) == 0);
  CHECK(ready(pair.ours) == POLLIN);
  CHECK(read_from(pair.ours, 5) == "acket");
  pair.send(", three");  // waits behind what is held
  CHECK(read_from(pair.ours, 100) == " one, two");
  CHECK(ready(pair.ours) == POLLIN);
  CHECK(read_from(pair.ours, 100) == ", three");
  CHECK(ready(pair.ours) == 0);
}

TEST_CASE("read ahead: the end comes after everything that was held") {
  Pair pair;
  pair.send("last");
  pair.peer.reset();
  CHECK(read_from(pair.ours, 2) == "la");
  CHECK(ready(pair.ours) == POLLIN);
  CHECK(read_from(pair.ours, 9) == "st");
  CHECK((ready(pair.ours) & (POLLIN | POLLHUP)) != 0);
  CHECK(read_from(pair.ours, 9).empty());
}

TEST_CASE("read ahead: a large packet comes whole, past the buffer") {
  const Pair pair;
  std::string sent;
  for (int i = 0; sent.size() < 100'000; ++i) sent += std::to_string(i) + " ";
  pair.send(sent);
  std::string got = read_from(pair.ours, 5);
  got += read_from(pair.ours, 65'535);
  const std::string piece = read_from(pair.ours, 65'535);
  CHECK(piece.size() > 8192);
  got += piece;
  while (got.size() < sent.size()) got += read_from(pair.ours, 65'535);
  CHECK(got == sent);
}

TEST_CASE("read ahead: a closed connection leaves nothing to the next of its number") {
  Pair pair;
  pair.send("old old old");
  CHECK(read_from(pair.ours, 3) == "old");
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Fd in(ends[0]), out(ends[1]);
  REQUIRE(::close(pair.ours) == 0);
  REQUIRE(::dup(in.get()) == pair.ours);
  CHECK(ready(pair.ours) == 0);
  REQUIRE(::write(out.get(), "new", 3) == 3);
  CHECK(read_from(pair.ours, 1) == "n");
  CHECK(left_in_kernel(pair.ours) == 2);
}

TEST_CASE("read ahead: poll() knows of what is held and of what is not, together") {
  const Pair held, arrived, silent;
  held.send("ab");
  CHECK(read_from(held.ours, 1) == "a");
  arrived.send("c");
  pollfd watched[] = {
      {silent.ours, POLLIN, -1}, {held.ours, POLLIN, -1}, {arrived.ours, POLLIN, -1}};
  // It must not wait for the silent one.
  CHECK(::poll(watched, 3, -1) == 2);
  CHECK(watched[0].revents == 0);
  CHECK(watched[1].revents == POLLIN);
  CHECK(watched[2].revents == POLLIN);
}

TEST_CASE("read ahead: other descriptors are left alone") {
  const Pair started;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const Fd one(ends[0]), two(ends[1]);
  REQUIRE(::write(two.get(), "abc", 3) == 3);
  CHECK(read_from(one.get(), 1) == "a");
  CHECK(left_in_kernel(one.get()) == 2);
}

TEST_CASE("read ahead: poll() leaves out what it is not asked") {
  const Pair held;
  held.send("ab");
  CHECK(read_from(held.ours, 1) == "a");
  pollfd writes{held.ours, POLLOUT, 0};
  CHECK(::poll(&writes, 1, 0) == 1);
  CHECK(writes.revents == POLLOUT);
  pollfd both{held.ours, POLLIN | POLLOUT, 0};
  CHECK(::poll(&both, 1, 0) == 1);
  CHECK(both.revents == (POLLIN | POLLOUT));
  pollfd none[] = {{-1, POLLIN, 9}, {held.ours, POLLIN, 0}};
  CHECK(::poll(none, 2, -1) == 1);
  CHECK(none[0].revents == 0);
}

TEST_CASE("read ahead: a descriptor that would block says so, and is read later") {
  const Pair pair;
  REQUIRE(::fcntl(pair.ours, F_SETFL, O_NONBLOCK) == 0);
  char byte;
  CHECK(::read(pair.ours, &byte, 1) == -1);
  CHECK(errno == EAGAIN);
  pair.send("x");
  CHECK(read_from(pair.ours, 1) == "x");
}
