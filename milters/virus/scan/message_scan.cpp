// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/message_scan.h"

#include <string>

#include "milters/virus/scan/formats/mail_like.h"

namespace mxfeed::virus {
namespace {

constexpr unsigned kMaxDepth = 8;

// What makes libclamav take any header for that of a message.
constexpr std::string_view kReceived =
    "Received: from localhost by localhost; Thu, 1 Jan 1970 00:00:00 +0000\r\n";

}  // namespace

void MessageScan::run(std::string_view mail) {
  run(mail, {});
}

void MessageScan::run(std::string_view mail, const ReadingLimits& limits) {
  Seen seen;
  engine_.scan(mail, &seen);
  if (rule_ == FeedRule::none || !engine_.goes_on()) return;
  const Inventory inventory = take_inventory(mail, seen, rule_, attachments_, limits);
  using mime::Anomaly;
  if (inventory.anomalies.has(Anomaly::partial_message)) {
    engine_.found(ScanVerdict::unscannable, "message/partial");
  }
  if (inventory.anomalies.exceeded()) {
    engine_.found(ScanVerdict::unscannable, "MIME: " + inventory.anomalies.str());
  }
  if (inventory.too_many_readings) {
    engine_.found(ScanVerdict::unscannable, "MIME: too many readings");
  }
  for_each_part(mail, inventory,
                [&](const mime::Part& part, std::string_view content, const Pick& pick) {
                  return use(part, content, pick);
                });
}

bool MessageScan::use(const mime::Part& part, std::string_view content,
                      const Pick& pick) {
  if (!engine_.goes_on()) return false;
  if (pick.feed) feed(content);
  if (pick.as_mail && engine_.goes_on()) feed(std::string(kReceived).append(content));
  if (pick.examine && engine_.goes_on()) examine(part, content, *this);
  return true;
}

void MessageScan::feed(std::string_view content) {
  ++parts_fed_;
  engine_.scan(content, nullptr);
}

void MessageScan::file(std::string_view content) {
  if (engine_.goes_on()) feed(content);
}

void MessageScan::message(std::string_view mail) {
  if (!engine_.goes_on()) return;
  if (depth_ == kMaxDepth) {
    engine_.found(ScanVerdict::unscannable, "MIME: too-deep");
    return;
  }
  ++depth_;
  ++parts_fed_;
  // A piece of text in which a header was found is no mail that somebody has made so.
  ReadingLimits limits;
  limits.walk.parts_in_text = is_mail_like(mail);
  run(std::string(kReceived).append(mail), limits);
  --depth_;
}

void MessageScan::found(ScanVerdict verdict, std::string_view name) {
  engine_.found(verdict, name);
}

}  // namespace mxfeed::virus
