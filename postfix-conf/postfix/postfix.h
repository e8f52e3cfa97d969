// SPDX-License-Identifier: GPL-2.0-or-later
//
// Questions to the Postfix that reads the maps.

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

  // Each throws Fault if the program of Postfix that it asks does not work.

  // Of `wanted`, those that the queue has mail for (postqueue(1)).
  std::set<RelayKey> waiting(const std::set<RelayKey>& wanted) const;

  // Looks the keys up as Postfix does, through the link (postmap(1)).  Returns what is
  // wrong, a line each; a line without value must not be found.
  std::vector<std::string> wrong_answers(const std::filesystem::path& map,
                                         const std::vector<MapLine>& lines) const;

  // How it is set (postconf(1)).
  PostfixSettings settings() const;

 private:
  Fault failure(std::string_view program, const CommandResult& result) const;

  const std::filesystem::path config_;
};

}  // namespace mxfeed
