// SPDX-License-Identifier: GPL-2.0-or-later
//
// Records in memory, for tests: they are lost when the process ends.

#include <mutex>
#include <string>
#include <unordered_map>

#include "milters/greylist/stores/store.h"

namespace mxfeed::greylist {
namespace {

class MemoryStore : public Store {
 public:
  Decision update(const Keys& keys, const Step& step, Deadline) override {
    const std::lock_guard lock(mutex_);
    const auto decision = step([&](Slot slot) -> std::optional<Record> {
      const auto found = entries_.find(keys.at(slot).digest);
      if (found == entries_.end()) return std::nullopt;
      return found->second.record;
    });
    for (const Change& change : decision.changes) {
      const Key& key = keys.at(change.slot);
      if (change.record) {
        entries_[key.digest] = {key, *change.record};
      } else {
        entries_.erase(key.digest);
      }
    }
    return decision;
  }

  Swept sweep(Time now) override {
    const std::lock_guard lock(mutex_);
    Swept swept;
    swept.records = std::erase_if(entries_, [&](const auto& entry) {
      const auto& [key, record] = entry.second;
      if (record.expires >= now) return false;
      if (key.about == About::waiting && !key.is_second) {
        ++swept.abandoned[static_cast<std::size_t>(key.identity.kind)];
      }
      return true;
    });
    return swept;
  }

 private:
  struct Entry {
    Key key;
    Record record;
  };
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;  // by digest
};

}  // namespace

std::unique_ptr<Store> open_memory_store() {
  return std::make_unique<MemoryStore>();
}

}  // namespace mxfeed::greylist
