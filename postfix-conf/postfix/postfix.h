// SPDX-License-Identifier: GPL-2.0-or-later
//
// Asks the Postfix that reads the maps.

#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/fault.h"
#include "common/base/process.h"
#include "postfix-conf/generate/compile.h"
#include "postfix-conf/generate/maps.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {

class Postfix {
 public:
  // `config` is the directory of main.cf, absolute.
  explicit Postfix(std::filesystem::path config) : config_(std::move(config)) {}

  const std::filesystem::path& config() const { return config_; }

  // Each throws Fault if Postfix's program fails.

  // The keys in `wanted` that have mail in the queue (postqueue(1)).
  std::set<RelayKey> waiting(const std::set<RelayKey>& wanted) const;

  // Looks the keys up as Postfix does, through the link (postmap(1)).  Returns one line
  // for each wrong answer; a key without value must not be found.
  std::vector<std::string> wrong_answers(const std::filesystem::path& map,
                                         const std::vector<MapLine>& lines) const;

  // Its settings (postconf(1)).
  PostfixSettings settings() const;

 private:
  Fault failure(std::string_view program, const CommandResult& result) const;

  const std::filesystem::path config_;
};

}  // namespace mxfeed
