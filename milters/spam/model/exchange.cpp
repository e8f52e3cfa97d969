// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/exchange.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"

namespace mxfeed::spam {
namespace {

constexpr std::string_view kStart = "mxfeed-exchange 1\n";
constexpr std::string_view kField = "entry";
constexpr std::string_view kBatch = "200";

Redis::Instant deadline() {
  return std::chrono::steady_clock::now() + Exchange::kPatience;
}

std::string_view bytes_of(const SampleId& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

// "1700000000000-0"
bool is_position(std::string_view text) {
  return !text.empty() && text.size() <= 40 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_digit(c) || c == '-'; });
}

// The value of the field in an item of a stream; nullptr if it has none.
const std::string* entry_in(const RedisReply::List& item) {
  if (item.size() != 2 || item[1].is_nil()) return nullptr;
  const RedisReply::List& fields = item[1].list();
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (fields[i].text() == kField) return &fields[i + 1].text();
  }
  return nullptr;
}

}  // namespace

Exchange::Exchange(Redis& redis, const std::string& prefix, std::filesystem::path file)
    : redis_(redis), key_(prefix + ":spam:journal"), file_(std::move(file)) {
  load();
}

// Lines: where the stream was read up to, then "<id> <changed>" of each entry.
void Exchange::load() {
  const std::string content = read_file(file_).value_or("");
  if (!content.starts_with(kStart)) return;
  const auto lines = split(std::string_view(content).substr(kStart.size()), '\n');
  if (!is_position(lines.front())) return;
  position_ = lines.front();
  for (const std::string_view line : lines) {
    const std::size_t blank = line.find(' ');
    if (blank == line.npos) continue;
    const auto id = from_hex(line.substr(0, blank));
    const auto changed = parse_unsigned(line.substr(blank + 1));
    Mark mark;
    if (!id || !changed || id->size() != mark.first.size()) continue;
    std::copy(id->begin(), id->end(), mark.first.begin());
    mark.second = *changed;
    shared_.insert(mark);
  }
}

void Exchange::keep() const {
  std::string content(kStart);
  content += position_;
  content += '\n';
  for (const auto& [id, changed] : shared_) {
    content += to_hex(bytes_of(id)) + ' ' + std::to_string(changed) + '\n';
  }
  write_file(file_, content);
}

void Exchange::receive(Trainer& trainer, Outcome& outcome) {
  for (;;) {
    const std::string after = "(" + position_;
    const std::string_view words[] = {"XRANGE", key_, after, "+", "COUNT", kBatch};
    const RedisReply reply = redis_.run(key_, words, deadline());
    for (const RedisReply& item : reply.list()) {
      const RedisReply::List& parts = item.list();
      if (parts.empty() || !is_position(parts[0].text())) {
        throw Fault("read", key_, "an item without an id");
      }
      position_ = parts[0].text();
      const std::string* const bytes = entry_in(parts);
      auto entry = bytes != nullptr ? Entry::from_bytes(*bytes) : std::nullopt;
      if (!entry) {
        ++outcome.damaged;
        continue;
      }
      // Of two that were made in the same microsecond the others need ours if it counts.
      const Entry* const own = trainer.samples().find(entry->id);
      const bool is_ours_newer =
          own != nullptr && own->changed == entry->changed && is_newer(*own, *entry);
      if (!is_ours_newer) shared_.insert({entry->id, entry->changed});
      if (trainer.merge(*std::move(entry))) ++outcome.received;
    }
    if (reply.list().empty()) return;
  }
}

void Exchange::send(const Trainer& trainer, Outcome& outcome) {
  const std::string most = std::to_string(kMostShared);
  for (const auto& [id, entry] : trainer.samples().all()) {
    const Mark mark{id, entry.changed};
    if (shared_.contains(mark)) continue;
    const std::string bytes = entry.bytes();
    const std::string_view words[] = {"XADD", key_, "MAXLEN", "~",
                                      most,   "*",  kField,   bytes};
    redis_.run(key_, words, deadline());
    shared_.insert(mark);
    ++outcome.sent;
  }
}

Exchange::Outcome Exchange::run(Trainer& trainer) {
  Outcome outcome;
  receive(trainer, outcome);
  send(trainer, outcome);
  // Of entries that are no more nobody asks.
  std::erase_if(shared_, [&](const Mark& mark) {
    const Entry* const entry = trainer.samples().find(mark.first);
    return entry == nullptr || entry->changed != mark.second;
  });
  return outcome;
}

}  // namespace mxfeed::spam
