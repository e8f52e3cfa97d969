// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/delivery_log.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace mxfeed {
namespace {

// "Nov 26 09:00:00 mx1 postfix/mxfeed-relay/smtp[12": the syslog_name of our transports.
bool is_of_our_transport(std::string_view begin) {
  begin = begin.substr(0, begin.rfind('['));
  const auto program = begin.substr(begin.rfind(' ') + 1);
  return program == "postfix/mxfeed-relay/smtp" || program == "postfix/mxfeed-soft/smtp";
}

constexpr std::size_t kMostAddress = 512;

// Without quotes, blanks and control characters.
bool is_plain_address(std::string_view text) {
  return text.size() <= kMostAddress && text.front() != '"' &&
         text.find('@') != std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) > ' ' && c != '\x7f';
         });
}

bool is_once_in(std::string_view line, std::string_view text) {
  const auto at = line.find(text);
  return at != std::string_view::npos &&
         line.find(text, at + 1) == std::string_view::npos;
}

}  // namespace

std::optional<std::string> parse_sent(std::string_view line) {
  const auto program = line.find("]: ");
  if (program == std::string_view::npos ||
      !is_of_our_transport(line.substr(0, program))) {
    return std::nullopt;
  }
  const auto rest = line.substr(program + 3);
  auto delivery = parse_delivery(line, rest.substr(0, rest.find(": ")));
  if (!delivery || delivery->status != "sent" || delivery->relay == "none" ||
      delivery->recipient.empty() || !is_plain_address(delivery->recipient)) {
    return std::nullopt;
  }
  // With info_log_addr_form = internal, a recipient may look like the rest of a line.
  if (!is_once_in(line, ", relay=") || !is_once_in(line, ", status=")) {
    return std::nullopt;
  }
  return std::move(delivery->recipient);
}

}  // namespace mxfeed
