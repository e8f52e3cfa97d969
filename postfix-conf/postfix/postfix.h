// SPDX-License-Identifier: GPL-2.0-or-later
//
// Questions to the Postfix that reads the maps.

#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postfix-conf/generate/compile.h"
#include "postfix-conf/generate/maps.h"
#include "postfix-conf/postfix/settings.h"

namespace mxfeed {

class Postfix {
 public:
  // `config` is the directory of main.cf, absolute.
  explicit Postfix(std::filesystem::path config) : config_(std::move(config)) {}

  const std::filesystem::path& config() const { return config_; }

  // Of `wanted`, those that the queue has mail for; nothing if it cannot be told, with
  // the cause.
  std::optional<std::set<RelayKey>> waiting(const std::set<RelayKey>& wanted,
                                            std::string& cause) const;

  // Looks the keys up as Postfix does, through the link.  Says what is wrong, a line
  // each; a line without value must not be found.  Nothing if postmap(1) does not work.
  std::optional<std::vector<std::string>> wrong_answers(const std::filesystem::path& map,
                                                        const std::vector<MapLine>& lines,
                                                        std::string& cause) const;

  // How it is set; throws Fault if postconf(1) does not work.
  PostfixSettings settings() const;

 private:
  const std::filesystem::path config_;
};

}  // namespace mxfeed
