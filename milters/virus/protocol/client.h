// SPDX-License-Identifier: GPL-2.0-or-later
//
// Asks the scan service, mxfeed-scan, about one message.

#pragma once

#include <chrono>
#include <filesystem>
#include <functional>

#include "milters/virus/protocol/message_file.h"
#include "milters/virus/protocol/wire.h"

namespace mxfeed::virus {

// Thread-safe: each call has a connection of its own.
class ScanClient {
 public:
  explicit ScanClient(std::filesystem::path socket) : socket_(std::move(socket)) {}

  // Waits up to `patience` for a free worker and its answer, and calls `progress` about
  // every ten seconds.  Throws Fault if there is no answer: the service is down, no
  // signatures are loaded yet, the worker was killed, or it timed out.
  ScanResult scan(MessageFile& message, std::chrono::seconds patience,
                  const std::function<void()>& progress) const;

 private:
  std::filesystem::path socket_;
};

}  // namespace mxfeed::virus
