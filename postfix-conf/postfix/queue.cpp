// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/queue.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/mail/address.h"
#include "common/mail/envelope.h"
#include "postfix-conf/postfix/json_scanner.h"

namespace mxfeed {
namespace {

// Of a size or a time.
constexpr std::uint64_t kMostNumber = std::uint64_t{1} << 40;

// Appends the recipient, unless its bounce is under way.
bool take_recipient(JsonScanner& json, std::vector<QueuedRecipient>& recipients) {
  QueuedRecipient recipient;
  bool has_address = false;
  bool waits = true;
  const bool whole = json.members([&](const std::string& key) {
    if (key != "address" && key != "delay_reason" && key != "bounce_reason") {
      return json.skip();
    }
    auto value = json.string();
    if (!value) {
      // Only an address must be what it was.
      if (key == "address") return false;
      if (key == "bounce_reason") waits = false;
      return json.skip();
    }
    if (key == "address") {
      recipient.address = *std::move(value);
      has_address = true;
    } else if (key == "delay_reason") {
      value->resize(std::min(value->size(), QueuedRecipient::kMaxReason));
      recipient.delay_reason = std::move(value);
    } else {
      waits = false;
    }
    return true;
  });
  if (!whole) return false;
  if (has_address && waits) recipients.push_back(std::move(recipient));
  return true;
}

}  // namespace

std::optional<QueuedMessage> parse_queued(std::string_view line) {
  JsonScanner json(line);
  QueuedMessage message;
  bool has_recipients = false;
  const auto text = [&](std::string& target) {
    auto value = json.string();
    if (value) target = *std::move(value);
    return value.has_value();
  };
  const auto number = [&](auto store) {
    const auto value = json.unsigned_number();
    // A later version may write another kind of value.
    if (!value) return json.skip();
    store(std::min(*value, kMostNumber));
    return true;
  };
  const bool whole = json.members([&](const std::string& key) {
    if (key == "recipients") {
      has_recipients = true;
      return json.items([&] { return take_recipient(json, message.recipients); });
    }
    if (key == "queue_name") return text(message.queue);
    if (key == "queue_id") return text(message.id);
    if (key == "sender") return text(message.sender);
    if (key == "arrival_time") {
      return number([&](std::uint64_t value) {
        message.arrived = Time(std::chrono::seconds(value));
      });
    }
    if (key == "message_size") {
      return number([&](std::uint64_t value) { message.size = value; });
    }
    if (key == "forced_expire") {
      const auto flag = json.boolean();
      message.is_expired = flag.value_or(false);
      return flag.has_value() || json.skip();
    }
    return json.skip();
  });
  if (!whole || !has_recipients || json.peek() != '\0') return std::nullopt;
  return message;
}

std::vector<std::string> spellings_of(std::string_view name) {
  std::vector<std::string> spellings{std::string(name)};
  if (ascii_length(name) == name.size()) return spellings;
  if (const auto domain = Domain::parse(name)) spellings.push_back(domain->str());
  std::string folded(name);
  constexpr std::pair<std::string_view, std::string_view> kFolds[] = {
      {"\u00DF", "ss"}, {"\u03C2", "\u03C3"}};
  for (const auto& [letter, fold] : kFolds) {
    for (std::size_t at = 0; (at = folded.find(letter, at)) != std::string::npos;) {
      folded.replace(at, letter.size(), fold);
      at += fold.size();
    }
  }
  if (const auto domain = Domain::parse(folded)) spellings.push_back(domain->str());
  return spellings;
}

std::vector<RelayKey> keys_of(std::string_view recipient,
                              const std::set<RelayKey>& wanted) {
  std::vector<RelayKey> keys;
  // As PolicyDb finds a domain: any bytes are looked up, and their parents.
  const std::string domain = Recipient::parse(recipient).domain;
  if (domain.empty()) return keys;
  const auto add = [&](std::string_view prefix, std::string_view name) {
    for (const std::string& spelling : spellings_of(name)) {
      const RelayKey key = std::string(prefix) + spelling;
      if (wanted.contains(key) &&
          std::find(keys.begin(), keys.end(), key) == keys.end()) {
        keys.push_back(key);
      }
    }
  };
  add("", domain);
  for (auto dot = domain.find('.'); dot != std::string::npos;
       dot = domain.find('.', dot + 1)) {
    add(".", std::string_view(domain).substr(dot + 1));
  }
  return keys;
}

}  // namespace mxfeed
