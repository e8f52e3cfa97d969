// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/worker.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>

#include "common/base/file.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::virus {
namespace {

// A worker's surroundings: one signature, a listening socket, a lifeline.
struct Surroundings {
  Surroundings() {
    write_file(directory.path() / "test.ndb",
               "Test.None:0:*:6e6f626f647977726974657374686973\n");
    settings.database = directory.path().string();
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, (directory.path() / "s").c_str(),
                 sizeof address.sun_path - 1);
    listener.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0));
    REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address),
                   sizeof address) == 0);
    REQUIRE(::listen(listener.get(), 8) == 0);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    lifeline.reset(ends[0]);
    lifeline_end.reset(ends[1]);
  }

  Fd ask(std::string_view request) const {
    Fd client(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
    REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address),
                      sizeof address) == 0);
    REQUIRE(::send(client.get(), request.data(), request.size(), 0) ==
            static_cast<ssize_t>(request.size()));
    return client;
  }

  int run(unsigned scans) {
    Engine engine(settings, directory.path(), [] {});
    return run_worker(
        engine, {listener.get(), lifeline.get(), drains, proofs, map_board(board.get()),
                 directory.path() / "scratch", std::chrono::seconds(10), scans});
  }
  std::uint64_t served() const { return map_board(board.get()).bad_requests; }

  const TempDirectory directory;
  GatewayPolicy::Virus settings;
  sockaddr_un address{};
  Fd listener, lifeline, lifeline_end;
  std::atomic<bool> drains{false};
  std::atomic<unsigned> proofs{0};
  const Fd board = make_board();
};

TEST_CASE("a worker that shall end leaves what waits to its successors", "[virus]") {
  Surroundings around;
  const Fd client = around.ask("rubbish");
  around.lifeline_end.reset();
  CHECK(around.run(10) == 0);
  CHECK(around.proofs == 1);
  CHECK(around.served() == 0);
  CHECK(Fd(::accept4(around.listener.get(), nullptr, nullptr, SOCK_NONBLOCK)));
}

TEST_CASE("a worker finds a connection that another was woken for", "[virus]") {
  Surroundings around;
  // Takes the wake-up and does not look.
  const Fd other(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLEXCLUSIVE;
  REQUIRE(::epoll_ctl(other.get(), EPOLL_CTL_ADD, around.listener.get(), &event) == 0);
  int status = -1;
  std::thread worker([&] { status = around.run(2); });
  const Fd first = around.ask("rubbish");
  while (around.served() == 0) std::this_thread::yield();
  std::thread asker([&] { const Fd second = around.ask("rubbish"); });
  ::epoll_wait(other.get(), &event, 1, 5000);
  asker.join();
  worker.join();
  CHECK(status == 0);
  CHECK(around.served() == 2);
}

TEST_CASE("an engine is proved again, unless temporary space is short", "[virus]") {
  Surroundings around;
  Engine engine(around.settings, around.directory.path(), [] {});
  CHECK(engine.prove());
  engine.use_directory(around.directory.path() / "missing");
  CHECK_FALSE(engine.prove());
  engine.use_directory(around.directory.path());
  CHECK(engine.prove());
}

TEST_CASE("a worker proves its engine before it takes requests", "[virus]") {
  Surroundings around;
  around.lifeline_end.reset();
  CHECK(around.run(10) == 0);
  CHECK(map_board(around.board.get()).last_proof > 0);
}

TEST_CASE("a worker that shall end and drain takes all that wait", "[virus]") {
  Surroundings around;
  const Fd first = around.ask("rubbish"), second = around.ask("rubbish");
  around.drains = true;
  around.lifeline_end.reset();
  CHECK(around.run(10) == 0);
  CHECK(around.served() == 2);
}

TEST_CASE("a worker ends after so many connections", "[virus]") {
  Surroundings around;
  const Fd first = around.ask("rubbish"), second = around.ask("rubbish");
  CHECK(around.run(1) == 0);
  CHECK(around.served() == 1);
}

TEST_CASE("a worker ends when nothing is asked and its lifeline is cut", "[virus]") {
  Surroundings around;
  around.lifeline_end.reset();
  CHECK(around.run(10) == 0);
  CHECK(around.served() == 0);
}

}  // namespace
}  // namespace mxfeed::virus
