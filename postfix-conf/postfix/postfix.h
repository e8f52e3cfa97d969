// SPDX-License-Identifier: GPL-2.0-or-later
//
// Asks the Postfix that reads the maps.

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/fault.h"
#include "common/base/process.h"
#include "postfix-conf/generate/compile.h"
#include "postfix-conf/generate/maps.h"
#include "postfix-conf/postfix/queue.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {

class Postfix {
 public:
  // `config` is the directory of main.cf, absolute.
  explicit Postfix(std::filesystem::path config) : config_(std::move(config)) {}

  const std::filesystem::path& config() const { return config_; }

  // Each throws Fault if Postfix's program fails.

  // Hands over each message of the queue once, as it is listed (postqueue(1)): one that
  // moves between queues at the time may be missed.  Returns how many lines were
  // malformed.
  std::size_t read_queue(const std::function<void(QueuedMessage)>& message) const;

  // The keys in `wanted` that have mail in the queue (postqueue(1)).
  std::set<RelayKey> waiting(const std::set<RelayKey>& wanted) const;

  // Whether the queue has any mail.
  bool has_mail() const;

  // Looks the keys up as Postfix does, through the link (postmap(1)).  Returns what is
  // wrong, a line each; a line without value must not be found.
  std::vector<std::string> wrong_answers(const std::filesystem::path& map,
                                         const std::vector<MapLine>& lines) const;

  // Lets its processes read their configuration anew (postfix(1)).
  void reload() const;

  bool is_running() const;

  // The values of parameters, expanded, in the order of the names (postconf(1)).
  std::vector<std::string> parameters(const std::vector<std::string>& names) const;
  // How it is set (postconf(1)).
  PostfixSettings settings() const;
  // How it would be set if these were the texts of main.cf and master.cf.
  PostfixSettings settings_with(const std::string& main_cf,
                                const std::string& master_cf) const;

  // Those of the keys that the table has, "hash:/etc/postfix/transport".
  std::vector<std::string> keys_in(const std::string& table,
                                   const std::vector<std::string>& keys) const;

 private:
  PostfixSettings settings_in(const std::filesystem::path& directory) const;
  Fault failure(std::string_view program, const CommandResult& result) const;

  const std::filesystem::path config_;
};

}  // namespace mxfeed
