// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/keeper_senders.h"

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/base/text.h"
#include "common/net/sender_field.h"
#include "postfix-conf/queue/only_field.h"
#include "postfix-conf/queue/queue_control.h"

namespace mxfeed {

std::optional<bool> KeeperSenders::is_verified(const std::string& id) {
  if (const auto known = book_.is_verified(id)) return known;
  const auto now = std::chrono::steady_clock::now();
  if (!started_) started_ = now;
  if (!is_queue_id(id) || read_ >= kMostRead || now - *started_ > kMostTime)
    return std::nullopt;
  ++read_;
  const auto found = read(id);
  if (found && remembers_) book_.set_verified(id, *found, now_);
  return found;
}

std::optional<bool> KeeperSenders::read(const std::string& id) const {
  OnlyField field{std::string(kSenderField)};
  try {
    const auto result = run_command({"postcat", "-c", config_.string(), "-qh", id}, "",
                                    [&](std::string_view line) {
                                      field.add(line);
                                      if (field.is_too_long()) {
                                        throw Fault("read header", id, "it is too long");
                                      }
                                    });
    if (result.status != 0) {
      log(Severity::warning, LogFields()
                                 .add("keeper", "sender")
                                 .add("id", id)
                                 .add("fault", trim(result.errors)));
      return std::nullopt;
    }
  } catch (const Fault&) {
    if (!field.is_too_long()) throw;
  }
  const auto value = field.value();
  return value && mxfeed::is_verified(*value);
}

}  // namespace mxfeed
