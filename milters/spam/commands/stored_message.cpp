// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/stored_message.h"

#include <string>

#include "common/base/clock.h"
#include "common/command/message_operand.h"
#include "common/mail/date.h"

namespace mxfeed::spam {

Message stored_message(std::string_view mail) {
  Message message = read_message(as_received(mail), system_time());
  const std::string* const received = message.find("Received");
  const std::size_t semicolon =
      received == nullptr ? std::string::npos : received->rfind(';');
  if (semicolon != std::string::npos) {
    const auto time = parse_date(std::string_view(*received).substr(semicolon + 1));
    if (time) message.received = *time;
  }
  return message;
}

}  // namespace mxfeed::spam
