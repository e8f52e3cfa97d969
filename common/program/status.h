// SPDX-License-Identifier: GPL-2.0-or-later
//
// The status socket of a daemon: a unix stream socket, mode 0600, at
// <state>/<daemon>/status.sock.  A client sends one command as a line and reads the
// answer until the end of the stream:
//   status   lines "key: value"; at least program, version, pid, state, generation
//   metrics  the Prometheus text format
//   reload   reloads now, then answers as status does
// A daemon may know more commands.  An unknown one is answered "error: ...".

#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "common/base/file.h"

namespace mxfeed {

class StatusServer {
 public:
  // Answers a command (without its line end); runs in the server's thread, one at a time.
  using Answer = std::function<std::string(std::string_view command)>;

  // Listens at once, replacing a socket that is left there.  Throws Fault.
  StatusServer(std::filesystem::path path, Answer answer);
  ~StatusServer();  // stops, removes the socket
  StatusServer(const StatusServer&) = delete;
  StatusServer& operator=(const StatusServer&) = delete;

 private:
  void serve();
  void serve_client(int client) const;

  std::filesystem::path path_;
  Answer answer_;
  Fd listener_;
  Fd stop_read_, stop_write_;
  std::thread thread_;
};

// Asks the daemon that listens at `path`; throws Fault if it does not answer within
// `timeout_ms` milliseconds.
std::string ask_status(const std::filesystem::path& path, std::string_view command,
                       int timeout_ms = 5000);

}  // namespace mxfeed
