// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/unix_socket.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

using std::chrono::milliseconds;

UnixListener listen_at(const std::filesystem::path& path) {
  return UnixListener(path, SOCK_STREAM, 0600, 1);
}

TEST_CASE("a path that a unix socket cannot have is refused", "[base]") {
  CHECK_NOTHROW(UnixAddress(std::string(107, 'x')));
  CHECK_THROWS_AS(UnixAddress(std::string(108, 'x')), Fault);
  CHECK_THROWS_AS(UnixAddress(""), Fault);
}

TEST_CASE("a listener has its mode and replaces a socket, but no other file", "[base]") {
  const TempDirectory directory;
  const auto path = directory.path() / "s";
  const UnixListener first = listen_at(path);
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  const UnixListener second = listen_at(path);
  CHECK_FALSE(first.is_at_path());
  CHECK(second.is_at_path());
  write_file(directory.path() / "file", "");
  CHECK_THROWS_AS(listen_at(directory.path() / "file"), Fault);
}

TEST_CASE("a listener removes its own file only", "[base]") {
  const TempDirectory directory;
  const auto path = directory.path() / "s";
  const UnixListener first = listen_at(path);
  CHECK(first.is_at_path());
  std::filesystem::rename(path, directory.path() / "moved");
  CHECK_FALSE(first.is_at_path());
  const UnixListener successor = listen_at(path);
  first.unlink();
  CHECK(successor.is_at_path());
  successor.unlink();
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_FALSE(successor.is_at_path());
}

TEST_CASE("a listener that was handed over leaves its file alone", "[base]") {
  const TempDirectory directory;
  const auto path = directory.path() / "s";
  const UnixListener managers(path, SOCK_SEQPACKET, 0600, 1);
  const int fd = ::dup(managers.get());
  const UnixListener ours = UnixListener::handed_over(fd, SOCK_SEQPACKET);
  CHECK(ours.is_handed_over());
  CHECK(ours.path() == path);
  CHECK(ours.is_at_path());
  CHECK_FALSE(ours.accept());
  const auto client =
      connect_unix("connect", path, SOCK_SEQPACKET, std::chrono::seconds(1));
  CHECK(ours.accept());
  ours.unlink();
  CHECK(managers.is_at_path());
  managers.unlink();
  CHECK_FALSE(ours.is_at_path());
}

TEST_CASE("only a listening unix socket of the right type is taken over", "[base]") {
  const TempDirectory directory;
  const UnixListener stream(directory.path() / "s", SOCK_STREAM, 0600, 1);
  const Fd silent(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
  const Fd tcp(::socket(AF_INET, SOCK_STREAM, 0));
  for (const int fd : {stream.get(), silent.get(), tcp.get(), -1}) {
    CHECK_THROWS_AS(UnixListener::handed_over(fd, SOCK_SEQPACKET), Fault);
  }
}

TEST_CASE("it is told whether somebody listens", "[base]") {
  const TempDirectory directory;
  const auto path = directory.path() / "s";
  CHECK_FALSE(is_listened_at(path));
  CHECK_THROWS_AS(connect_unix("ask", path, SOCK_STREAM, milliseconds(1)), NobodyListens);
  {
    const UnixListener listener = listen_at(path);
    CHECK(is_listened_at(path));
    CHECK(connect_unix("ask", path, SOCK_STREAM, milliseconds(1)));
  }
  CHECK(std::filesystem::exists(path));  // left behind
  CHECK_FALSE(is_listened_at(path));
  CHECK_THROWS_AS(connect_unix("ask", path, SOCK_STREAM, milliseconds(1)), NobodyListens);
  const UnixListener other(path, SOCK_SEQPACKET, 0600, 1);
  CHECK(is_listened_at(path));
}

TEST_CASE("connecting gives up while the queue is full", "[base]") {
  const TempDirectory directory;
  const auto path = directory.path() / "s";
  const UnixListener listener = listen_at(path);
  std::vector<Fd> queued;
  for (;;) {
    auto client = connect_unix("ask", path, SOCK_STREAM, milliseconds(1));
    if (!client) break;
    queued.push_back(*std::move(client));
    REQUIRE(queued.size() < 10);
  }
  CHECK_FALSE(queued.empty());
}

TEST_CASE("a datagram carries its descriptors", "[base]") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  const Fd here(ends[0]);
  Fd there(ends[1]);
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  const Fd read_end(pipe_ends[0]);
  Fd write_end(pipe_ends[1]);
  REQUIRE(send_with_descriptor(here.get(), "take this", write_end.get()));
  write_end.reset();
  auto got = receive_datagram(there.get(), 100);
  REQUIRE(got);
  CHECK(got->bytes == "take this");
  CHECK_FALSE(got->is_truncated);
  REQUIRE(got->descriptors.size() == 1);
  CHECK(write_all(got->descriptors[0].get(), "x"));
  char byte = 0;
  CHECK(::read(read_end.get(), &byte, 1) == 1);

  CHECK_FALSE(receive_datagram(there.get(), 100, MSG_DONTWAIT));
  REQUIRE(send_all(here.get(), "longer than that"));
  got = receive_datagram(there.get(), 6);
  REQUIRE(got);
  CHECK(got->is_truncated);
  CHECK(got->bytes == "longer");
  there.reset();
  CHECK_FALSE(send_all(here.get(), "nobody is there"));
}

}  // namespace
}  // namespace mxfeed
