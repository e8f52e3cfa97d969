// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/recorded.h"

#include <algorithm>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/policy/policy_db.h"

namespace mxfeed::spam {
namespace {

// What Postfix and the delivery put on top, above the verifiers or between them.
bool is_of_delivery(std::string_view name) {
  constexpr const char* kNames[] = {"Return-Path", "Delivered-To", "X-Original-To",
                                    "Envelope-To"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](const char* one) { return iequals(name, one); });
}

// Without a policy there are no verifiers.
GatewayPolicy::Spam settings_in_force(const std::filesystem::path& state) {
  try {
    return open_policy(state).gateway().spam;
  } catch (const Fault&) {
    return {};
  }
}

}  // namespace

std::optional<SenderCheck> recorded_sender(const Message& message) {
  const std::string* const value = message.find(kSenderField);
  return value != nullptr ? parse_sender_check(*value) : std::nullopt;
}

Authentication recorded_authentication(const Message& message,
                                       const std::filesystem::path& state) {
  const GatewayPolicy::Spam spam = settings_in_force(state);
  VerifierFields verifiers(spam);
  bool has_own_received = false;
  bool is_on_top = true;
  for (const Field& field : message.fields) {
    if (is_on_top && is_of_delivery(field.name)) continue;
    if (!has_own_received && iequals(field.name, "Received")) {
      has_own_received = true;
      continue;
    }
    is_on_top = false;
    verifiers.field(field.name, field.value);
  }
  return verifiers.result();
}

}  // namespace mxfeed::spam
