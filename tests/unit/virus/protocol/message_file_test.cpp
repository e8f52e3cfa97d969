// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/protocol/message_file.h"

#include <unistd.h>

#include <cerrno>

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

constexpr Time kNow{std::chrono::seconds(1'795'302'000)};

std::string content(MessageFile& message) {
  const int fd = message.seal();
  std::string bytes(message.size() + 1, '\0');
  const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), 0);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

TEST_CASE("a message is rebuilt below a Received field", "[virus]") {
  MessageFile message(kNow);
  message.add_header("MZ", " 1");
  message.add_header("Subject", " a\n\tb");
  message.add_header("Empty", "");
  message.end_header();
  message.add("body\r\n");
  const std::string bytes = content(message);
  CHECK(bytes ==
        "Received: from localhost by localhost with SMTP; "
        "Sat, 21 Nov 2026 23:00:00 +0000\r\n"
        "MZ: 1\r\nSubject: a\r\n\tb\r\nEmpty:\r\n\r\nbody\r\n");
  CHECK(message.size() == bytes.size());
}

TEST_CASE("a digest is the same when the sender tries again", "[virus]") {
  const auto digest_of = [](Time now, std::string_view body) {
    MessageFile message(now);
    message.add_header("Subject", " a");
    message.end_header();
    message.add(body);
    message.seal();
    CHECK(message.seal() >= 0);  // as often as one likes
    return message.digest();
  };
  const std::string large(300'000, 'x');
  CHECK(digest_of(kNow, "body") == digest_of(kNow + std::chrono::hours(100), "body"));
  CHECK(digest_of(kNow, "body") != digest_of(kNow, "Body"));
  CHECK(digest_of(kNow, large) == digest_of(kNow, large));
  CHECK(digest_of(kNow, large) != digest_of(kNow, large + "y"));
}

TEST_CASE("pieces of any size add up", "[virus]") {
  MessageFile message(kNow);
  const std::uint64_t begin = message.size();
  std::string expected;
  for (const std::size_t size : {1u, 65'535u, 65'535u, 1'000'000u, 0u, 131'072u, 5u}) {
    const std::string piece(size, static_cast<char>('a' + expected.size() % 26));
    message.add(piece);
    expected += piece;
  }
  CHECK(message.size() == begin + expected.size());
  CHECK(content(message).substr(begin) == expected);
}

TEST_CASE("a sealed message cannot be changed", "[virus]") {
  MessageFile message(kNow);
  message.add("x");
  const int fd = message.seal();
  CHECK(::pwrite(fd, "y", 1, 0) == -1);
  CHECK(errno == EPERM);
  CHECK(::ftruncate(fd, 0) == -1);
}

}  // namespace
}  // namespace mxfeed::virus
