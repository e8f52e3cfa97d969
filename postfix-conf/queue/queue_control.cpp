// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/queue_control.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/fault.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr int kLockThere = 3;

}  // namespace

bool is_queue_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && id != "ALL" &&
         std::all_of(id.begin(), id.end(),
                     [](char c) { return is_letter(c) || is_digit(c); });
}

void QueueControl::expire(const std::vector<std::string>& ids) const {
  postsuper("-e", "deferred", ids);
}

void QueueControl::hold(const std::vector<std::string>& ids) const {
  postsuper("-h", "deferred", ids);
}

void QueueControl::expire_held(const std::vector<std::string>& ids) const {
  postsuper("-f", "hold", ids);
}

void QueueControl::release(const std::vector<std::string>& ids) const {
  postsuper("-H", "hold", ids);
}

void QueueControl::discard(const std::vector<std::string>& ids) const {
  postsuper("-d", "hold", ids);
}

bool QueueControl::attempt(const std::string& id) const {
  if (!is_queue_id(id)) return false;
  return run_command(
             {"postqueue", "-c", config_.string(), "-i", id}, "", [](std::string_view) {},
             passed())
             .status == 0;
}

std::vector<PassedFd> QueueControl::passed() const {
  if (lock_ < 0) return {};
  return {{lock_, kLockThere}};
}

void QueueControl::postsuper(std::string_view option, std::string_view queue,
                             const std::vector<std::string>& ids) const {
  std::string input;
  for (const auto& id : ids) {
    if (is_queue_id(id)) input += id + "\n";
  }
  if (input.empty()) return;
  const auto result = run_command(
      {"postsuper", "-c", config_.string(), std::string(option), "-", std::string(queue)},
      input, [](std::string_view) {}, passed());
  if (result.status == 0) return;
  // It tells about each message; the cause comes last.
  const auto lines = split(trim(result.errors), '\n');
  throw Fault(
      fmt::format("run postsuper {}", option), config_.string(),
      fmt::format("status {}: {}", result.status, escape_untrusted(lines.back())));
}

}  // namespace mxfeed
