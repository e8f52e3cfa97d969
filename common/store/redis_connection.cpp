// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/store/redis_connection.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>
#include <vector>

#include "common/base/file.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

using std::chrono::milliseconds;
// How long read(2) and write(2) wait by themselves, which saves a poll(2) for each.
constexpr milliseconds kBlocks{10};
constexpr std::size_t kMostPassword = 4096;
constexpr std::size_t kMostElements = 100'000;  // of an array

struct FreeReply {
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};
using RawReply = std::unique_ptr<redisReply, FreeReply>;

RedisReply convert(const redisReply& raw, std::string_view server) {
  switch (raw.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      return RedisReply(std::string(raw.str, raw.len));
    case REDIS_REPLY_INTEGER:
      return RedisReply(std::int64_t{raw.integer});
    case REDIS_REPLY_NIL:
      return {};
    case REDIS_REPLY_ERROR:
      throw RedisError(server, std::string_view(raw.str, raw.len));
    case REDIS_REPLY_ARRAY: {
      RedisReply::List list;
      list.reserve(raw.elements);
      for (std::size_t i = 0; i < raw.elements; ++i) {
        list.push_back(convert(*raw.element[i], server));
      }
      return RedisReply(std::move(list));
    }
    default:
      throw Fault("ask Redis", server, "unknown type of reply");
  }
}

// hiredis makes room at once for as many elements as the server announces; ours bounds
// that.
const redisReplyObjectFunctions& usual_functions() {
  static const redisReplyObjectFunctions usual = [] {
    redisReader* const reader = ::redisReaderCreate();
    if (reader == nullptr) throw std::bad_alloc();
    const redisReplyObjectFunctions functions = *reader->fn;
    ::redisReaderFree(reader);
    return functions;
  }();
  return usual;
}

template <typename Count>
void* create_array(const redisReadTask* task, Count count) {
  if (static_cast<std::size_t>(count) > kMostElements) return nullptr;
  return usual_functions().createArray(task, count);
}

redisReplyObjectFunctions* bounded_functions() {
  static redisReplyObjectFunctions bounded = [] {
    redisReplyObjectFunctions functions = usual_functions();
    functions.createArray = create_array;
    return functions;
  }();
  return &bounded;
}

}  // namespace

void RedisConnection::Free::operator()(redisContext* context) const {
  ::redisFree(context);
}

RedisConnection::RedisConnection(const RedisAddress& address, const RedisLogin& login,
                                 bool must_log_in, Instant deadline)
    : server_(address.str()) {
  const char* const host = address.host().c_str();
  context_.reset(address.is_unix() ? ::redisConnectUnixNonBlock(host)
                                   : ::redisConnectNonBlock(host, address.port()));
  if (!context_) fail("out of memory");
  if (context_->err != 0) fail(context_->errstr);
  context_->reader->fn = bounded_functions();
  ::fcntl(context_->fd, F_SETFD, FD_CLOEXEC);
  wait(POLLOUT, deadline);
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(context_->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) fail(errno_text(error));
  block();
  if (!login.password_file.empty()) log_in(login, must_log_in, deadline);
}

RedisConnection::~RedisConnection() = default;

void RedisConnection::fail(std::string_view cause) const {
  throw Fault("ask Redis", server_, cause);
}

void RedisConnection::wait(short events, Instant deadline) const {
  pollfd watched{context_->fd, events, 0};
  for (;;) {
    const auto left =
        std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) fail("timed out");
    const int ready = ::poll(
        &watched, 1, static_cast<int>(std::min(left, milliseconds(60'000)).count()));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) fail(errno_text(errno));
  }
}

void RedisConnection::block() const {
  const int flags = ::fcntl(context_->fd, F_GETFL);
  const timeval most{0, std::chrono::microseconds(kBlocks).count()};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    if (::setsockopt(context_->fd, SOL_SOCKET, option, &most, sizeof most) != 0) {
      fail(errno_text(errno));
    }
  }
  if (flags < 0 || ::fcntl(context_->fd, F_SETFL, flags & ~O_NONBLOCK) != 0) {
    fail(errno_text(errno));
  }
}

void RedisConnection::wait_if_short(short events, Instant deadline) const {
  if (deadline - std::chrono::steady_clock::now() <= 2 * kBlocks) wait(events, deadline);
}

void RedisConnection::log_in(const RedisLogin& login, bool must_log_in,
                             Instant deadline) {
  const auto content = read_regular_file(login.password_file, kMostPassword);
  if (!content)
    throw Fault("read password", login.password_file.string(), "no such file");
  std::vector<std::string_view> words{"AUTH"};
  if (!login.user.empty()) words.push_back(login.user);
  words.push_back(trim(*content));
  try {
    run(words, deadline);
  } catch (const RedisError& error) {
    if (must_log_in) throw Fault("log in to Redis", server_, error.cause());
  }
}

void RedisConnection::send(Words words, Instant deadline) {
  std::vector<const char*> starts;
  std::vector<std::size_t> sizes;
  for (const auto word : words) {
    starts.push_back(word.data());
    sizes.push_back(word.size());
  }
  if (::redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()),
                               starts.data(), sizes.data()) != REDIS_OK) {
    fail(context_->errstr);
  }
  for (int is_sent = 0;;) {
    wait_if_short(POLLOUT, deadline);
    if (::redisBufferWrite(context_.get(), &is_sent) != REDIS_OK) fail(context_->errstr);
    if (is_sent != 0) return;
  }
}

RedisReply RedisConnection::receive(Instant deadline) {
  const redisReader& reader = *context_->reader;
  for (std::size_t received = 0;;) {
    wait_if_short(POLLIN, deadline);
    const std::size_t before = reader.len;
    if (::redisBufferRead(context_.get()) != REDIS_OK) fail(context_->errstr);
    received += reader.len - before;
    void* found = nullptr;
    if (::redisGetReplyFromReader(context_.get(), &found) != REDIS_OK) {
      fail(context_->errstr);
    }
    const RawReply reply(static_cast<redisReply*>(found));
    if (reply) {
      // The next reply would not be that of the next command.
      if (reader.pos != reader.len) fail("more than one reply");
      return convert(*reply, server_);
    }
    if (received > kMostReply) fail("the reply is too large");
  }
}

RedisReply RedisConnection::run(Words words, Instant deadline) {
  send(words, deadline);
  return receive(deadline);
}

}  // namespace mxfeed
