// SPDX-License-Identifier: GPL-2.0-or-later
//
// Of which backups the main servers answer: <state>/keeper/answering, which the keeper
// writes in each run, a domain on each line.

#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "common/base/clock.h"

namespace mxfeed {

std::filesystem::path answering_servers_path(const std::filesystem::path& state);

using DomainNames = std::set<std::string, std::less<>>;

std::string render_answering_servers(const DomainNames& domains);
DomainNames parse_answering_servers(std::string_view text);

// What such a file says now.  Thread-safe.
class AnsweringServers {
 public:
  explicit AnsweringServers(std::filesystem::path file);

  // Looks at the file once a second at most.  No domain if it cannot be read, or if the
  // keeper has not written it for kFresh.
  bool contains(std::string_view domain, Time now) const;

  static constexpr std::chrono::minutes kFresh{10};

 private:
  void look(Time now) const;

  const std::filesystem::path file_;
  mutable std::mutex mutex_;
  mutable Time looked_{};
  mutable Time written_{};  // the epoch: there is no file, or it cannot be read
  mutable DomainNames domains_;
};

}  // namespace mxfeed
