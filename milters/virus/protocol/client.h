// SPDX-License-Identifier: GPL-2.0-or-later
//
// Asks the scan service, mxfeed-scan, about one message.

#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <variant>

#include "common/base/fault.h"
#include "milters/virus/protocol/message_file.h"
#include "milters/virus/protocol/wire.h"

namespace mxfeed::virus {

// The worker that had taken a message died, or was ended, without an answer.
class WorkerLost : public Fault {
 public:
  explicit WorkerLost(const std::filesystem::path& socket);
};

// Thread-safe: each call has a connection of its own.
class ScanClient {
 public:
  explicit ScanClient(std::filesystem::path socket) : socket_(std::move(socket)) {}

  // Waits up to `patience` for a free worker and its answer, and calls `progress` about
  // every ten seconds.  Throws Fault if there is no answer: the service is down, no
  // signatures are loaded yet, or it timed out.
  // If a worker is lost with the message, calls `on_loss`, which tells whether to ask
  // once more, and asks another worker once more within the same time; then throws
  // WorkerLost.  A connection that ends before a worker has taken the message is also
  // made once more.
  ScanResult scan(MessageFile& message, bool lists_attachments,
                  std::chrono::seconds patience, const std::function<void()>& progress,
                  const std::function<bool()>& on_loss) const;

 private:
  enum class NoAnswer { not_taken, worker_lost };
  using Deadline = std::chrono::steady_clock::time_point;
  std::variant<ScanResult, NoAnswer> ask(MessageFile& message, bool lists_attachments,
                                         Deadline deadline,
                                         const std::function<void()>& progress) const;

  std::filesystem::path socket_;
};

}  // namespace mxfeed::virus
