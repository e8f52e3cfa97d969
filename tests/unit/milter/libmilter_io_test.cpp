// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/libmilter_io.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/file.h"
#include "tests/support/catch.h"

extern "C" ssize_t mxfeed_milter_read(int fd, void* to, std::size_t size);
extern "C" ssize_t mxfeed_milter_writev(int fd, const iovec* pieces, int count);
extern "C" int mxfeed_milter_poll(pollfd* watched, nfds_t count, int timeout);

using namespace mxfeed;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

constexpr SessionTimeouts kPatient{.silence = 1h, .packet = 1h};

std::string packet(std::string_view data) {
  const auto size = static_cast<std::uint32_t>(data.size());
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(size >> shift);
  return text.append(data);
}

// A session's socket and the mail server's end of it.
struct Pair {
  Pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    ours.reset(ends[0]);
    peer.reset(ends[1]);
  }
  void send(std::string_view bytes) const { REQUIRE(write_all(peer.get(), bytes)); }

  Fd ours, peer;
};

std::string read_from(SessionIo& io, std::size_t most) {
  std::string bytes(most, '\0');
  bytes.resize(io.read(bytes));
  return bytes;
}

std::string read_all(SessionIo& io, std::size_t piece) {
  std::string all;
  for (std::string got; !(got = read_from(io, piece)).empty();) all += got;
  return all;
}

int left_in_kernel(int fd) {
  int bytes = -1;
  REQUIRE(::ioctl(fd, FIONREAD, &bytes) == 0);
  return bytes;
}

// What libmilter's poll(2) says at once of a descriptor; 0 if nothing.
int ready(int fd, short events = POLLIN) {
  pollfd watched{fd, events, 0};
  const int count = mxfeed_milter_poll(&watched, 1, 0);
  REQUIRE(count >= 0);
  return count == 0 ? 0 : watched.revents;
}

}  // namespace

TEST_CASE("packet watch: macros are pairs of strings that end with NUL") {
  struct Row {
    std::string name, bytes;
    bool sound;
  };
  const std::vector<Row> rows = {
      {"no macros", packet("DM"), true},
      {"one", packet("DMi\0004C1\0"s), true},
      {"two", packet("DMi\0004C1\0{x}\0y\0"s), true},
      {"empty strings", packet("DM\0\0"s), true},
      {"no stage", packet("D"), true},  // libmilter refuses it
      {"a name without a value", packet("DMi\0"s), false},
      {"three strings", packet("DMi\0x\0y\0"s), false},
      {"five empty strings", packet("DM\0\0\0\0\0"s), false},
      {"no NUL at all", packet("DMi"), false},
      {"the last string is open", packet("DMi\0x\0y\0z"s), false},
      {"a stage of NUL is not a string", packet("D\0i\0"s), false},
      {"a stage of NUL and a pair", packet("D\0i\0x\0"s), true},
      {"after a sound packet", packet("DMi\0x\0"s) + packet("DRi\0"s), false},
      {"between other packets", packet("Cx") + packet("DM\0"s) + packet("Mx\0"s), false},
      {"other commands hold what they like", packet("Ma\0b\0c\0d"s) + packet("B\0"s),
       true},
      {"other commands hold nothing", packet("E") + packet("A"), true},
      {"no command", "\0\0\0\0E"s, false},
      {"a megabyte", "\0\x10\0\1B"s, true},
      {"more than a megabyte", "\0\x10\0\2B"s, false},
      {"four gigabytes",
       "\xFF\xFF\xFF\xFF"
       "D"s,
       false},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    PacketWatch whole;
    CHECK(whole.follow(row.bytes) == row.sound);
    PacketWatch cut;
    bool sound = true;
    for (std::size_t i = 0; sound && i < row.bytes.size(); ++i) {
      sound = cut.follow(std::string_view(row.bytes).substr(i, 1));
    }
    CHECK(sound == row.sound);
  }
}

TEST_CASE("packet watch: it knows whether a packet is whole") {
  PacketWatch watch;
  CHECK_FALSE(watch.in_packet());
  const std::string bytes = packet("Mabc");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    REQUIRE(watch.follow(std::string_view(bytes).substr(i, 1)));
    CHECK(watch.in_packet() == (i + 1 < bytes.size()));
  }
}

TEST_CASE("session io: what has come is given out piece by piece, in order") {
  const Pair pair;
  SessionIo io(pair.ours.get(), kPatient);
  const std::string one = packet("Mone"), two = packet("Rtwo"), three = packet("Bthree");
  pair.send(one);
  pair.send(two);
  CHECK(read_from(io, 5) == one.substr(0, 5));
  CHECK(left_in_kernel(pair.ours.get()) == 0);
  CHECK(read_from(io, 3) == "one");
  pair.send(three);  // waits behind what is held
  CHECK(read_from(io, 100) == two);
  CHECK(read_from(io, 100) == three);
}

TEST_CASE("session io: the end comes after everything that was sent") {
  Pair pair;
  SessionIo io(pair.ours.get(), kPatient);
  const std::string bytes = packet("Mone") + packet("Q");
  pair.send(bytes);
  pair.peer.reset();
  CHECK(read_all(io, 3) == bytes);
  CHECK_FALSE(io.loss());
  CHECK(read_from(io, 3).empty());
}

TEST_CASE("session io: a large packet comes whole, past the buffer") {
  const Pair pair;
  SessionIo io(pair.ours.get(), kPatient);
  std::string body = "B";
  for (int i = 0; body.size() < 100'000; ++i) body += std::to_string(i) + " ";
  const std::string sent = packet(body);
  pair.send(sent);
  std::string got = read_from(io, 5);
  const std::string piece = read_from(io, 65'535);
  got += piece;
  while (got.size() < sent.size()) got += read_from(io, 65'535);
  CHECK(got == sent);
}

TEST_CASE("session io: libmilter never sees the end of a malformed packet") {
  const Pair pair;
  SessionIo io(pair.ours.get(), kPatient);
  const std::string sound = packet("DMi\0x\0"s);
  pair.send(sound + packet("DRi\0"s) + packet("Rmore"));
  CHECK(read_from(io, sound.size()) == sound);
  CHECK(read_from(io, 5).size() == 5);  // its head
  CHECK(read_from(io, 3).empty());
  REQUIRE(io.loss());
  CHECK(*io.loss() == SessionLoss::malformed_packet);
  CHECK(read_from(io, 100).empty());
}

TEST_CASE("session io: an unfinished packet ends in time") {
  struct Row {
    std::string name, begin;
  };
  const std::vector<Row> rows = {{"one byte", "\0"s},
                                 {"the length", "\0\0\0\x40"s},
                                 {"the head", "\0\0\0\x40M"s},
                                 {"half", packet("Mone") + "\0\0\0\x40Mhalf"s}};
  for (const Row& row : rows) {
    INFO(row.name);
    const Pair pair;
    SessionIo io(pair.ours.get(), {.silence = 1h, .packet = 20ms});
    pair.send(row.begin);
    CHECK(read_all(io, 5) == row.begin);
    REQUIRE(io.loss());
    CHECK(*io.loss() == SessionLoss::unfinished_packet);
  }
}

TEST_CASE("session io: a packet that drips in ends in time") {
  const Pair pair;
  SessionIo io(pair.ours.get(), {.silence = 1h, .packet = 100ms});
  constexpr std::size_t kSize = 1000;
  std::jthread drip([&](std::stop_token stop) {
    const std::string bytes = packet("M" + std::string(kSize, 'x'));
    for (std::size_t i = 0; i < bytes.size() && !stop.stop_requested(); ++i) {
      write_all(pair.peer.get(), bytes.substr(i, 1));
      std::this_thread::sleep_for(10ms);  // the subject: each comes well in time
    }
  });
  CHECK(read_all(io, kSize).size() < kSize);
  REQUIRE(io.loss());
  CHECK(*io.loss() == SessionLoss::unfinished_packet);
}

TEST_CASE("session io: silence between packets is not an unfinished packet") {
  const Pair pair;
  SessionIo io(pair.ours.get(), {.silence = 1h, .packet = 1ms});
  const std::string data = packet("T"), header = packet("Lx\0y\0"s);
  pair.send(data);
  CHECK(read_from(io, 5) == data);
  std::jthread later([&] {
    std::this_thread::sleep_for(100ms);  // the subject: a client that takes its time
    write_all(pair.peer.get(), header);
  });
  CHECK(read_from(io, 100) == header);
  CHECK_FALSE(io.loss());
}

TEST_CASE("session io: the time of a packet begins anew with the next one") {
  const Pair pair;
  SessionIo io(pair.ours.get(), {.silence = 1h, .packet = 10s});
  for (int i = 0; i < 3; ++i) {
    pair.send("\0\0\0\2"s);
    CHECK(read_from(io, 5).size() == 4);
    std::jthread rest([&] { write_all(pair.peer.get(), "Mx"); });
    CHECK(read_from(io, 1) == "M");
    CHECK(read_from(io, 1) == "x");
  }
  CHECK_FALSE(io.loss());
}

TEST_CASE("session io: a silent mail server is given up at last") {
  const Pair pair;
  SessionIo io(pair.ours.get(), {.silence = 20ms, .packet = 1h});
  pair.send(packet("T"));
  CHECK(read_all(io, 5) == packet("T"));
  REQUIRE(io.loss());
  CHECK(*io.loss() == SessionLoss::silent);
}

TEST_CASE("session io: a mail server that does not read is given up") {
  const Pair pair;
  const SessionIo io(pair.ours.get(), {.silence = 1h, .packet = 20ms});
  std::string bytes(100'000, 'x');
  const iovec piece{bytes.data(), bytes.size()};
  ssize_t written = 0;
  for (int i = 0; i < 1000 && written >= 0; ++i) written = io.write({&piece, 1});
  CHECK(written == -1);
  CHECK(errno == ETIMEDOUT);
}

TEST_CASE("libmilter's calls: a session's own descriptor is always ready") {
  Pair pair;
  SessionIo io(pair.ours.get(), kPatient);
  const ThreadSession thread(io);
  const int fd = pair.ours.get();
  CHECK(ready(fd) == POLLIN);  // read() will wait
  CHECK(ready(fd, POLLOUT) == POLLOUT);
  pair.send(packet("Q"));
  pair.peer.reset();
  CHECK(ready(fd) == POLLIN);  // no POLLHUP: what was sent is still to be read
  char bytes[16];
  CHECK(mxfeed_milter_read(fd, bytes, sizeof bytes) == 5);
  CHECK(mxfeed_milter_read(fd, bytes, sizeof bytes) == 0);
}

TEST_CASE("libmilter's calls: other descriptors are waited for and read as ever") {
  const Pair pair, other;
  SessionIo io(pair.ours.get(), kPatient);
  const int fd = other.ours.get();
  const auto check = [&] {
    CHECK(ready(fd) == 0);
    pollfd two[] = {{pair.ours.get(), POLLIN, 0}, {fd, POLLIN, 0}};
    CHECK(mxfeed_milter_poll(two, 2, 0) == 0);
    other.send("abc");
    CHECK(ready(fd) == POLLIN);
    char byte = 0;
    CHECK(mxfeed_milter_read(fd, &byte, 1) == 1);
    CHECK(left_in_kernel(fd) == 2);
    CHECK(mxfeed_milter_read(fd, &byte, 1) == 1);
    CHECK(mxfeed_milter_read(fd, &byte, 1) == 1);
    const iovec piece{&byte, 1};
    CHECK(mxfeed_milter_writev(fd, &piece, 1) == 1);
  };
  SECTION("in a session's thread") {
    const ThreadSession thread(io);
    check();
  }
  SECTION("in another thread") {
    check();
  }
  SECTION("when the session has ended") {
    { const ThreadSession thread(io); }
    check();
    CHECK(ready(pair.ours.get()) == 0);
  }
}

TEST_CASE("the C library's calls are left alone in a session's thread") {
  const Pair pair;
  SessionIo io(pair.ours.get(), kPatient);
  const ThreadSession thread(io);
  // As the scan client waits, for its deadline and for progress.
  pollfd watched{pair.ours.get(), POLLIN, 0};
  CHECK(::poll(&watched, 1, 0) == 0);
  pair.send(packet("Mx") + packet("Ry"));
  CHECK(::poll(&watched, 1, 0) == 1);
  char byte;
  CHECK(::read(pair.ours.get(), &byte, 1) == 1);
  CHECK(left_in_kernel(pair.ours.get()) == 11);
}
