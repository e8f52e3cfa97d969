// SPDX-License-Identifier: GPL-2.0-or-later
//
// Talks to mxfeed-recipients at the socket where Postfix asks it.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/file.h"

namespace mxfeed {

// A connection.  Functions wait two seconds at most, and throw Fault if it does not
// answer.
class RecipientsClient {
 public:
  explicit RecipientsClient(const std::filesystem::path& queue_directory);

  // Says that a message was delivered to the recipient, which is one line; false if it
  // has too much to do.
  bool tell_delivered(std::string_view recipient);
  // Returns if it answers requests.
  void check();

 private:
  std::string ask(std::string_view request);
  [[noreturn]] void fail(const std::string& cause) const;

  const std::filesystem::path socket_;
  Fd fd_;
};

}  // namespace mxfeed
