// SPDX-License-Identifier: GPL-2.0-or-later
//
// Domains from the command of [source].  It runs without a shell, as root, for at most
// ten minutes, and must print something each minute.  Its last good rows are kept below
// --state: they stay in force while it fails, prints no whole output, or prints a faulty
// row for their domains.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "postfix-conf/config/config.h"
#include "postfix-conf/config/load.h"

namespace mxfeed {

// One reading of the configuration with its source.
class DomainSource {
 public:
  explicit DomainSource(const std::filesystem::path& state);

  // Runs the command, if there is one, and reads the configuration, twice or thrice if
  // rows are faulty.  Why the source is not whole is no error of the configuration,
  // unless no earlier rows are kept: see problems().
  Config load(const std::filesystem::path& directory);

  // One line each; empty if all that the source said is in the configuration.
  const std::vector<std::string>& problems() const { return problems_; }
  Json json() const;

  // The configuration is in force: keeps the rows, and notes the problems for
  // source_trouble().  Throws Fault.
  void keep() const;

 private:
  SourceText ask(const std::vector<std::string>& command);
  Config read(const std::filesystem::path& directory);
  // Takes the errors of rows out of the configuration; returns their lines.
  std::set<std::uint32_t> take_faults(Config& config);

  const std::filesystem::path directory_;
  std::string name_;  // of the program; empty if there is no source
  std::string rows_;  // that count
  std::optional<std::string> kept_;
  bool is_fresh_ = false;
  std::vector<std::string> problems_;
};

// The last good rows, for what must not run the command.
AskSource kept_rows(const std::filesystem::path& state);

// What was wrong with the source when the configuration was applied last; empty if
// nothing was.
std::string source_trouble(const std::filesystem::path& state);

}  // namespace mxfeed
