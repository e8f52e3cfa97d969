// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/answering_servers.h"

#include <sys/stat.h>

#include <cstddef>
#include <utility>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20;

}  // namespace

std::filesystem::path answering_servers_path(const std::filesystem::path& state) {
  return state / "keeper" / "answering";
}

std::string render_answering_servers(const DomainNames& domains) {
  std::string text;
  for (const auto& domain : domains) text += domain + "\n";
  return text;
}

DomainNames parse_answering_servers(std::string_view text) {
  DomainNames domains;
  for (const auto line : split(text, '\n')) {
    if (!line.empty()) domains.emplace(line);
  }
  return domains;
}

AnsweringServers::AnsweringServers(std::filesystem::path file) : file_(std::move(file)) {}

bool AnsweringServers::contains(std::string_view domain, Time now) const {
  const std::lock_guard lock(mutex_);
  if (now != looked_) look(now);
  return now - written_ <= kFresh && domains_.contains(domain);
}

void AnsweringServers::look(Time now) const {
  looked_ = now;
  struct stat status;
  if (::stat(file_.c_str(), &status) != 0) {
    written_ = {};
    return;
  }
  const Time written{std::chrono::seconds(status.st_mtim.tv_sec)};
  if (written == written_) return;
  try {
    domains_ = parse_answering_servers(read_file(file_, kMostBytes).value_or(""));
    written_ = written;
  } catch (const Fault&) {
    // The message is judged without it.
    written_ = {};
  }
}

}  // namespace mxfeed
