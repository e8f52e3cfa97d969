// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/recorded.h"

#include <algorithm>

#include "common/base/text.h"

namespace mxfeed::spam {
namespace {

// What Postfix and the delivery put on top, above the verifiers or between them.
bool is_of_delivery(std::string_view name) {
  constexpr const char* kNames[] = {"Return-Path", "Delivered-To", "X-Original-To",
                                    "Envelope-To"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](const char* one) { return iequals(name, one); });
}

// From "from HELO (NAME [ADDRESS]) by ...", as Postfix writes it; it takes no parentheses
// in HELO.
std::optional<IpAddress> client_of(std::string_view received) {
  constexpr std::string_view kSixth = "IPv6:";
  const std::size_t begin = received.find('(');
  if (begin == std::string_view::npos) return std::nullopt;
  received = received.substr(begin + 1);
  received = received.substr(0, received.find(')'));
  const std::size_t open = received.rfind('[');
  const std::size_t close = received.rfind(']');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return std::nullopt;
  }
  received = received.substr(open + 1, close - open - 1);
  if (istarts_with(received, kSixth)) received.remove_prefix(kSixth.size());
  return IpAddress::parse(received);
}

bool is_this_host(const IpAddress& client, const GatewayPolicy& gateway) {
  return client.is_loopback() ||
         std::ranges::any_of(gateway.host_addresses,
                             [&](const Network& own) { return own.contains(client); });
}

}  // namespace

std::optional<SenderCheck> recorded_sender(const Message& message) {
  const std::string* const value = message.find(kSenderField);
  return value != nullptr ? parse_sender_check(*value) : std::nullopt;
}

std::optional<IpAddress> recorded_client(const Message& message,
                                         const GatewayPolicy& gateway) {
  for (const Field& field : message.fields) {
    if (!iequals(field.name, "Received")) continue;
    const auto client = client_of(field.value);
    if (client && is_this_host(*client, gateway)) continue;
    return client;
  }
  return std::nullopt;
}

Authentication recorded_authentication(const Message& message,
                                       const GatewayPolicy::Spam& spam) {
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
