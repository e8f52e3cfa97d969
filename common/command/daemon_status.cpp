// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command/daemon_status.h"

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/program/status.h"

namespace mxfeed {
namespace {

Json typed(const std::string& value) {
  if (const auto number = parse_unsigned(value)) return *number;
  if (value == "yes" || value == "no") return value == "yes";
  return value;
}

}  // namespace

std::string_view DaemonStatus::field(std::string_view key) const {
  return snapshot.find(key).value_or("");
}

bool DaemonStatus::serves() const {
  const auto state = field("state");
  return state == "running" || state == "reloading";
}

std::optional<std::uint64_t> DaemonStatus::generation() const {
  return parse_unsigned(field("generation"));
}

Json DaemonStatus::json() const {
  Json object = Json::object();
  for (const auto& [key, value] : snapshot.entries()) object.set(key, typed(value));
  return object;
}

std::string DaemonStatus::text() const {
  std::string lines;
  for (const auto& [key, value] : snapshot.entries()) {
    lines += escape_line(key + ": " + value) + "\n";
  }
  return lines;
}

DaemonStatus ask_daemon(const std::filesystem::path& state, std::string_view daemon) {
  DaemonStatus status{std::string(daemon), {}};
  try {
    const auto answer = ask_status(state / daemon / "status.sock", "status");
    status.snapshot = StatusSnapshot::parse(answer);
  } catch (const Fault& fault) {
    status.snapshot.add("program", "mxfeed-" + status.name)
        .add("state", "down")
        .add("last_fault", fault.what());
  }
  return status;
}

}  // namespace mxfeed
