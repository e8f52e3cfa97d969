// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command/daemon_status.h"

#include <fmt/format.h>

#include <algorithm>

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
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const auto& one) { return one.first == key; });
  return found == fields.end() ? std::string_view() : found->second;
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
  for (const auto& [key, value] : fields) object.set(key, typed(value));
  return object;
}

std::string DaemonStatus::text() const {
  std::string lines;
  for (const auto& [key, value] : fields) {
    lines += fmt::format("{}: {}\n", escape_untrusted(key), escape_untrusted(value));
  }
  return lines;
}

DaemonStatus ask_daemon(const std::filesystem::path& state, std::string_view daemon) {
  DaemonStatus status{std::string(daemon), {}, false};
  std::string answer;
  try {
    answer = ask_status(state / daemon / "status.sock", "status");
  } catch (const Fault& fault) {
    status.fields = {{"program", fmt::format("mxfeed-{}", daemon)},
                     {"state", "down"},
                     {"last_fault", fault.what()}};
    return status;
  }
  status.answers = true;
  for (const auto line : split(answer, '\n')) {
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    status.fields.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  return status;
}

}  // namespace mxfeed
