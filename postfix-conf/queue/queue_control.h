// SPDX-License-Identifier: GPL-2.0-or-later
//
// Changes the queue of a Postfix, by postsuper(1) and postqueue(1).

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/process.h"

namespace mxfeed {

// Anything else might mean all messages ("ALL"), an option or another file.
bool is_queue_id(std::string_view id);

// Each function throws Fault if Postfix's program fails.  A message that is not in the
// queue that is named is left alone.
class QueueControl {
 public:
  // `config` is the directory of main.cf, absolute; `lock` a descriptor that the programs
  // get, so that a lock on it lasts until they have ended, too; -1 for none.
  explicit QueueControl(std::filesystem::path config, int lock = -1)
      : config_(std::move(config)), lock_(lock) {}

  // From deferred: the next delivery round bounces the recipients in the defer log and
  // removes the message.
  void expire(const std::vector<std::string>& ids) const;
  // From deferred.
  void hold(const std::vector<std::string>& ids) const;
  // From hold to deferred, in one step with expire().
  void expire_held(const std::vector<std::string>& ids) const;
  // From hold to deferred.
  void release(const std::vector<std::string>& ids) const;
  // Deletes from hold.
  void discard(const std::vector<std::string>& ids) const;
  // Asks for a delivery round of a deferred message; returns whether Postfix took the
  // request.
  bool attempt(const std::string& id) const;

 private:
  std::vector<PassedFd> passed() const;
  void postsuper(std::string_view option, std::string_view queue,
                 const std::vector<std::string>& ids) const;

  const std::filesystem::path config_;
  const int lock_;
};

}  // namespace mxfeed
