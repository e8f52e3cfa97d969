// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/queue.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/mail/address.h"
#include "common/mail/envelope.h"

namespace mxfeed {
namespace {

// Scans JSON text: as much of RFC 8259 as postqueue(1) writes.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : rest_(text) {}

  char peek() {
    while (!rest_.empty() &&
           std::string_view(" \t\r\n").find(rest_.front()) != std::string_view::npos) {
      rest_.remove_prefix(1);
    }
    return rest_.empty() ? '\0' : rest_.front();
  }
  bool take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<std::string> string() {
    if (!take('"')) return std::nullopt;
    std::string value;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return value;
      if (c != '\\') {
        value += c;
        continue;
      }
      if (rest_.empty()) return std::nullopt;
      const char escaped = rest_.front();
      rest_.remove_prefix(1);
      if (escaped == 'u') {
        if (rest_.size() < 4) return std::nullopt;
        value += '?';  // a control character, which no domain contains
        rest_.remove_prefix(4);
      } else {
        value += escaped;
      }
    }
    return std::nullopt;
  }
  // Skips any value.
  bool skip(int depth = 0) {
    if (depth > 16) return false;
    switch (peek()) {
      case '"':
        return string().has_value();
      case '{':
        return members([&](const std::string&) { return skip(depth + 1); });
      case '[':
        return items([&] { return skip(depth + 1); });
      default: {
        const auto end = rest_.find_first_of(",]} \t\r\n");
        const auto length = end == std::string_view::npos ? rest_.size() : end;
        rest_.remove_prefix(length);
        return length > 0;
      }
    }
  }
  template <typename Take>
  bool members(Take take_value) {
    if (!take('{')) return false;
    if (take('}')) return true;
    do {
      const auto key = string();
      if (!key || !take(':') || !take_value(*key)) return false;
    } while (take(','));
    return take('}');
  }
  template <typename Take>
  bool items(Take take_item) {
    if (!take('[')) return false;
    if (take(']')) return true;
    do {
      if (!take_item()) return false;
    } while (take(','));
    return take(']');
  }

 private:
  std::string_view rest_;
};

// The keys that a map may have for the name: the queue keeps U-labels as the client wrote
// them, and Postfix folds their case before the look-up (folding changes two letters of
// RFC 5892).
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

}  // namespace

std::optional<std::vector<std::string>> queued_recipients(std::string_view line) {
  JsonScanner json(line);
  std::vector<std::string> addresses;
  bool has_recipients = false;
  const bool whole = json.members([&](const std::string& key) {
    if (key != "recipients") return json.skip();
    has_recipients = true;
    return json.items([&] {
      return json.members([&](const std::string& member) {
        if (member != "address") return json.skip();
        auto address = json.string();
        if (!address) return false;
        addresses.push_back(*std::move(address));
        return true;
      });
    });
  });
  if (!whole || !has_recipients || json.peek() != '\0') return std::nullopt;
  return addresses;
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
