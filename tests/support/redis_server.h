// SPDX-License-Identifier: GPL-2.0-or-later
//
// A real redis-server of a test's own, on loopback or on a unix socket, which ends with
// the object.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/process.h"
#include "common/store/redis_connection.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {

inline constexpr const char* kRedisProgram = "/usr/bin/redis-server";

// Whether there is one; else the test is to end.  Throws if it must not be skipped.
inline bool has_redis() {
  ::signal(SIGPIPE, SIG_IGN);
  if (std::filesystem::exists(kRedisProgram)) return true;
  const char* const no_skip = std::getenv("MXFEED_NO_SKIP");
  if (no_skip != nullptr && std::string_view(no_skip) == "1") {
    throw std::runtime_error("redis-server is not installed");
  }
  return false;
}

inline void wait_until(const std::function<bool()>& condition, const char* what,
                       std::chrono::seconds most = std::chrono::seconds(60)) {
  const auto end = std::chrono::steady_clock::now() + most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error(what);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

inline int free_port() {
  const Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), where, size) != 0 || ::getsockname(fd.get(), where, &size) != 0) {
    throw std::runtime_error("no free port");
  }
  return ntohs(address.sin_port);
}

class RedisServer {
 public:
  // On a unix socket.
  static RedisServer on_socket(std::vector<std::string> lines = {}) {
    return RedisServer(0, std::move(lines), {});
  }
  // On a port of 127.0.0.1.
  static RedisServer on_port(std::vector<std::string> lines = {}) {
    return RedisServer(free_port(), std::move(lines), {});
  }
  ~RedisServer() {
    if (pid_ != 0) stop();
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  int port() const { return port_; }
  RedisAddress address() const {
    const std::string text = port_ != 0
                                 ? "127.0.0.1:" + std::to_string(port_)
                                 : "unix:" + (directory_.path() / "socket").string();
    return RedisAddress::parse(text).value();
  }

  void stop() {
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }
  void start() {
    std::vector<std::string> argv{kRedisProgram, (directory_.path() / "conf").string()};
    argv.insert(argv.end(), arguments_.begin(), arguments_.end());
    pid_ = spawn(kRedisProgram, argv, {});
    wait_until([&] { return is_up(); }, "redis-server does not start");
  }
  void hang() const { ::kill(pid_, SIGSTOP); }
  void go_on() const { ::kill(pid_, SIGCONT); }

  // Runs a command past the client that is tested.
  RedisReply ask(const std::vector<std::string>& words,
                 const std::string& password_file = "") const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    RedisConnection connection(address(), {"", password_file}, true, deadline);
    const std::vector<std::string_view> views(words.begin(), words.end());
    return connection.run(views, deadline);
  }

 protected:
  RedisServer(int port, std::vector<std::string> lines,
              std::vector<std::string> arguments)
      : port_(port), arguments_(std::move(arguments)) {
    std::ofstream conf(directory_.path() / "conf");
    conf << "port " << port << "\nbind 127.0.0.1\ndir " << directory_.path().string()
         << "\nlogfile " << (directory_.path() / "log").string() << "\n";
    if (port == 0)
      conf << "unixsocket " << (directory_.path() / "socket").string() << "\n";
    if (arguments_.empty()) conf << "save \"\"\nappendonly no\n";
    for (const auto& line : lines) conf << line << "\n";
    conf.close();
    start();
  }

 private:
  bool is_up() const {
    try {
      ask({"PING"});
    } catch (const RedisError& error) {
      return error.code() == "NOAUTH";
    } catch (const Fault&) {
      return false;
    }
    return true;
  }

  const TempDirectory directory_;
  const int port_;
  const std::vector<std::string> arguments_;
  pid_t pid_ = 0;
};

class RedisSentinel : public RedisServer {
 public:
  explicit RedisSentinel(std::vector<std::string> lines)
      : RedisServer(free_port(), std::move(lines), {"--sentinel"}) {}
};

}  // namespace mxfeed
