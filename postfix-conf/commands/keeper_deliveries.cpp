// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/keeper_deliveries.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/commands/recipients_client.h"
#include "postfix-conf/postfix/delivery_log.h"
#include "postfix-conf/postfix/mail_log.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;
using Monotonic = std::chrono::steady_clock;

// Below the keeper's directory: how far the log was read.
constexpr const char* kMark = "deliveries";
constexpr std::chrono::seconds kMostTime{10};
constexpr std::chrono::milliseconds kBeforeAgain{10};
constexpr std::size_t kMostRecipients = 100'000;
constexpr std::chrono::hours kBetweenComplaints{24};

bool has_call_outs(const Hosted& hosted) {
  return hosted.callout;
}

// What was delivered since the mark, each recipient once, and the next mark.
struct Deliveries {
  std::set<std::string> recipients;
  LogMark mark;
};

Deliveries read_deliveries(const fs::path& log, const std::optional<LogMark>& since,
                           const Generated& generated, Terms& terms, Time now) {
  Deliveries found;
  found.mark = read_mail_log(log, since, now, [&](std::string_view line) {
    if (found.recipients.size() >= kMostRecipients) return;
    auto recipient = parse_sent(line);
    if (!recipient) return;
    const auto* const hosted = generated.find(terms.of(*recipient).domain);
    if (hosted != nullptr && has_call_outs(*hosted)) {
      found.recipients.insert(*std::move(recipient));
    }
  });
  return found;
}

// Recipients that a run does not reach in time are asked about when their mail comes.
void tell(RecipientsClient& client, const std::set<std::string>& recipients) {
  const auto end = Monotonic::now() + kMostTime;
  for (const auto& recipient : recipients) {
    while (!client.tell_delivered(recipient)) {
      if (Monotonic::now() > end) return;
      std::this_thread::sleep_for(kBeforeAgain);
    }
    if (Monotonic::now() > end) return;
  }
}

}  // namespace

void tell_of_deliveries(const fs::path& state, const KeeperPostfix& postfix,
                        const Generated& generated, Terms& terms, KeeperBook& book,
                        Time now) {
  if (std::none_of(generated.hosted.begin(), generated.hosted.end(), has_call_outs)) {
    return;
  }
  try {
    RecipientsClient client(postfix.queue_directory);
    const auto file = state / kKeeperDirectory / kMark;
    const auto text = read_file(file, 1000);
    const auto since = text ? LogMark::parse(trim(*text)) : std::nullopt;
    const auto found = read_deliveries(postfix.log_file, since, generated, terms, now);
    tell(client, found.recipients);
    write_file(file, found.mark.str() + "\n");
  } catch (const Fault& fault) {
    if (!book.may_send("deliveries", "", now, kBetweenComplaints)) return;
    complain(fmt::format("warning: {}: recipients are not learned from deliveries",
                         fault.what()));
  }
}

}  // namespace mxfeed
