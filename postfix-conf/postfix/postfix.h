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

namespace mxfeed {

// The addresses of the recipients in a line of `postqueue -j`, unescaped; nothing if it
// is no such line.  Members that are not known are skipped.
std::optional<std::vector<std::string>> queued_recipients(std::string_view line);

// Of `wanted`, the keys that the recipient's domain falls under.
std::vector<RelayKey> keys_of(std::string_view recipient,
                              const std::set<RelayKey>& wanted);

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

  // Names of the parameters that are not as generated, and of the services that are
  // missing; nothing if postconf(1) does not work.
  std::optional<std::vector<std::string>> differing_parameters(const Generated& generated,
                                                               std::string& cause) const;

  // What lets mail from port 25 past the filters or the relay restrictions, whatever the
  // generated parameters say, a line each; nothing if postconf(1) does not work.
  std::optional<std::vector<std::string>> bypasses(const Generated& generated,
                                                   std::string& cause) const;

 private:
  const std::filesystem::path config_;
};

}  // namespace mxfeed
