// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/dns_cache.h"

#include <algorithm>
#include <string>
#include <utility>

namespace mxfeed::dns {
namespace {

constexpr std::size_t kNodes = 160;  // of the list and the map

std::size_t heap_of(const std::string& text) {
  return text.size() < 16 ? 0 : text.capacity() + 1;
}

struct HeapOf {
  std::size_t operator()(const IpAddress&) const { return 0; }
  std::size_t operator()(const HostName& value) const { return heap_of(value.name); }
  std::size_t operator()(const Text& value) const { return heap_of(value.text); }
  std::size_t operator()(const MailExchange& value) const { return heap_of(value.host); }
  std::size_t operator()(const Tlsa& value) const {
    return heap_of(value.association_data);
  }
};

std::size_t size_of(const Question& question, const Answer& answer) {
  std::size_t size = kNodes + sizeof(Question) + 2 * heap_of(question.name()) +
                     sizeof(Question) + sizeof(Answer) +
                     answer.records.capacity() * sizeof(Record);
  for (const Record& record : answer.records) size += std::visit(HeapOf{}, record);
  return size;
}

}  // namespace

std::optional<Answer> Cache::find(const Question& question, Instant now) {
  const auto found = by_question_.find(question);
  if (found == by_question_.end()) return std::nullopt;
  const auto entry = found->second;
  if (now >= entry->until) {
    remove(entry);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->answer;
}

void Cache::store(const Question& question, const Answer& answer, Instant now) {
  if (const auto old = by_question_.find(question); old != by_question_.end()) {
    remove(old->second);
  }
  const std::size_t size = size_of(question, answer);
  const auto life = lifetime(answer);
  if (size > limits_.bytes || limits_.entries == 0 || life.count() <= 0) return;
  while (entries_.size() >= limits_.entries || bytes_ + size > limits_.bytes) {
    remove(std::prev(entries_.end()));
  }
  entries_.push_front({question, answer, now + life, size});
  by_question_.emplace(question, entries_.begin());
  bytes_ += size;
}

std::chrono::seconds Cache::lifetime(const Answer& answer) const {
  const auto within = [&](std::chrono::seconds ceiling) {
    return std::min(std::max(answer.ttl, limits_.floor), ceiling);
  };
  switch (answer.status) {
    case Status::found:
      return within(limits_.ceiling);
    case Status::absent:
      return within(limits_.absent_ceiling);
    case Status::temporary:
      return limits_.temporary;
  }
  return {};
}

void Cache::remove(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  by_question_.erase(entry->question);
  entries_.erase(entry);
}

}  // namespace mxfeed::dns
