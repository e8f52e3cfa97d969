// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/completeness.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <random>

#include "common/base/text.h"

namespace mxfeed::virus {
namespace {

// libclamav answers "clean" for fewer bytes without a scan.
constexpr std::uint64_t kLeastContent = 6;

// Chosen once; processes forked later share it.
std::uint64_t key() {
  static const std::uint64_t chosen = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32 | device()) | 1;
  }();
  return chosen;
}

__extension__ using Wide = unsigned __int128;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const Wide product = Wide{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t step(std::uint64_t state, const char* eight) {
  std::uint64_t word;
  std::memcpy(&word, eight, sizeof word);
  return mix(state ^ word ^ 0x9e3779b97f4a7c15, key() ^ 0xd6e8feb86659fd93) + word;
}

// Feeds a whole message to the walker.  As for Postfix, the header ends at an empty line
// or at a line that is not a field.
void walk(std::string_view mail, mime::Visitor& visitor, mime::Anomalies& anomalies) {
  mime::Walker walker(visitor);
  std::string_view name, value;
  bool open = false;
  const char* field_begin = nullptr;
  const auto finish = [&](const char* end) {
    if (!open) return;
    value = {field_begin, static_cast<std::size_t>(end - field_begin)};
    while (value.ends_with('\n') || value.ends_with('\r')) value.remove_suffix(1);
    walker.field(name, value);
    open = false;
  };
  while (!mail.empty()) {
    const auto newline = mail.find('\n');
    const std::size_t length =
        newline == std::string_view::npos ? mail.size() : newline + 1;
    const std::string_view line = mail.substr(0, length);
    const bool continues = open && (line.front() == ' ' || line.front() == '\t');
    if (!continues) {
      finish(line.data());
      if (line == "\r\n" || line == "\n") {
        mail.remove_prefix(length);
        break;
      }
      const auto colon = line.find(':');
      if (colon == std::string_view::npos) break;
      name = line.substr(0, colon);
      field_begin = line.data() + colon + 1;
      open = true;
    }
    mail.remove_prefix(length);
    if (mail.empty()) finish(line.data() + line.size());
  }
  walker.body(mail);
  walker.end();
  anomalies = walker.anomalies();
}

class Compare : public mime::Visitor {
 public:
  Compare(const Seen& seen, FeedRule rule) : seen_(seen), rule_(rule) {}

  void begin_part(const mime::Part& part) override {
    if (part.type == "message/partial") inventory.partial = true;
  }
  void data(const mime::Part& part, std::string_view bytes) override {
    if (!part.is_container()) open_[part.number].add(bytes);
  }
  void end_part(const mime::Part& part) override {
    const auto found = open_.find(part.number);
    if (found == open_.end()) return;
    if (found->second.size >= kLeastContent) {
      ++inventory.parts;
      if (must_feed(part, found->second)) inventory.to_feed.push_back(part.number);
    }
    open_.erase(found);
  }

  Inventory inventory;

 private:
  bool must_feed(const mime::Part& part, const Fingerprint& content) const {
    switch (rule_) {
      case FeedRule::none:
        return false;
      case FeedRule::all:
        return true;
      case FeedRule::exact:
        return !seen_.has_exact(content);
      case FeedRule::missed:
        break;
    }
    if (seen_.has_exact(content)) return false;
    // A part that is saved as a file is not read as text, whatever its type: its line
    // ends, which libclamav changes, are part of its content.
    const bool is_file = !part.file_names.empty() || part.disposition == "attachment";
    const bool is_text = part.is_text() && part.encoding != mime::Encoding::base64 &&
                         part.kind != mime::Part::Kind::uuencoded;
    return is_file || !is_text || !seen_.has_loose(content);
  }

  const Seen& seen_;
  const FeedRule rule_;
  std::map<std::size_t, Fingerprint> open_;
};

class Collect : public mime::Visitor {
 public:
  Collect(const std::vector<std::size_t>& numbers,
          const std::function<bool(std::string_view)>& use)
      : numbers_(numbers), use_(use) {}

  void data(const mime::Part& part, std::string_view bytes) override {
    if (wants(part)) open_[part.number] += bytes;
  }
  void end_part(const mime::Part& part) override {
    const auto found = open_.find(part.number);
    if (found == open_.end()) return;
    goes_on_ = use_(found->second);
    open_.erase(found);
  }

 private:
  bool wants(const mime::Part& part) const {
    return goes_on_ && !part.is_container() &&
           std::binary_search(numbers_.begin(), numbers_.end(), part.number);
  }

  const std::vector<std::size_t>& numbers_;
  const std::function<bool(std::string_view)>& use_;
  std::map<std::size_t, std::string> open_;
  bool goes_on_ = true;
};

}  // namespace

void Digest::add(std::string_view bytes) {
  length_ += bytes.size();
  if (held_ > 0) {
    const std::size_t taken = std::min(sizeof rest_ - held_, bytes.size());
    std::memcpy(rest_ + held_, bytes.data(), taken);
    held_ += taken;
    bytes.remove_prefix(taken);
    if (held_ < sizeof rest_) return;
    state_ = step(state_, rest_);
    held_ = 0;
  }
  while (bytes.size() >= sizeof rest_) {
    state_ = step(state_, bytes.data());
    bytes.remove_prefix(sizeof rest_);
  }
  if (!bytes.empty()) std::memcpy(rest_, bytes.data(), bytes.size());
  held_ = bytes.size();
}

std::uint64_t Digest::value() const {
  char last[sizeof rest_] = {};
  std::memcpy(last, rest_, held_);
  return mix(step(state_, last) ^ length_, key());
}

void Fingerprint::add(std::string_view bytes) {
  size += bytes.size();
  exact.add(bytes);
  // No branch for each character: the processor could not predict it.
  std::array<char, 512> kept;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kept.size());
    std::size_t count = 0;
    for (const char c : piece) {
      kept[count] = c;
      count += is_space(c) ? 0 : 1;
    }
    loose.add({kept.data(), count});
    bytes.remove_prefix(piece.size());
  }
}

void Seen::add(std::string_view object) {
  Fingerprint fingerprint;
  fingerprint.add(object);
  exact_.insert(fingerprint.exact.value());
  loose_.insert(fingerprint.loose.value());
  ++objects_;
}

bool Seen::has_exact(const Fingerprint& part) const {
  return exact_.contains(part.exact.value());
}

bool Seen::has_loose(const Fingerprint& part) const {
  return loose_.contains(part.loose.value());
}

Inventory take_inventory(std::string_view mail, const Seen& seen, FeedRule rule) {
  Compare compare(seen, rule);
  mime::Anomalies anomalies;
  walk(mail, compare, anomalies);
  compare.inventory.anomalies = anomalies;
  std::sort(compare.inventory.to_feed.begin(), compare.inventory.to_feed.end());
  return std::move(compare.inventory);
}

void for_each_part(std::string_view mail, const std::vector<std::size_t>& numbers,
                   const std::function<bool(std::string_view content)>& use) {
  Collect collect(numbers, use);
  mime::Anomalies anomalies;
  walk(mail, collect, anomalies);
}

}  // namespace mxfeed::virus
