// SPDX-License-Identifier: GPL-2.0-or-later
//
// One connection to a Redis server (RESP2, by hiredis).  Nothing here waits beyond the
// deadline that it is given.  SIGPIPE must be ignored.

#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/store/redis_address.h"
#include "common/store/redis_reply.h"

struct redisContext;

namespace mxfeed {

struct RedisLogin {
  std::string user;                     // empty: Redis' default user
  std::filesystem::path password_file;  // empty: none; else read for each connection
};

// Used by one thread at a time.  After a Fault that is no RedisError it is of no more
// use.
class RedisConnection {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  // A command and its arguments, of any bytes.
  using Words = std::span<const std::string_view>;
  // A larger reply is a Fault.
  static constexpr std::size_t kMostReply = 1 << 20;

  // Connects and logs in.  `must_log_in`: it is a Fault if the server does not take the
  // login; else only what needs it is refused.  Throws Fault.
  RedisConnection(const RedisAddress& address, const RedisLogin& login, bool must_log_in,
                  Instant deadline);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // Throws RedisError for an error in the reply, else Fault.
  RedisReply run(Words words, Instant deadline);

 private:
  [[noreturn]] void fail(std::string_view cause) const;
  // poll(2) for the events.
  void wait(short events, Instant deadline) const;
  // The same if the next read or write, which waits by itself, could end too late.
  void wait_if_short(short events, Instant deadline) const;
  void block() const;
  void send(Words words, Instant deadline);
  RedisReply receive(Instant deadline);
  void log_in(const RedisLogin& login, bool must_log_in, Instant deadline);

  const std::string server_;  // for messages
  struct Free {
    void operator()(redisContext* context) const;
  };
  std::unique_ptr<redisContext, Free> context_;
};

}  // namespace mxfeed
