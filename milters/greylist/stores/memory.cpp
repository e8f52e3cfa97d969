// SPDX-License-Identifier: GPL-2.0-or-later
//
// Records in memory, for tests: they are lost when the process ends.

#include <mutex>
#include <unordered_map>

#include "milters/greylist/stores/store.h"

namespace mxfeed::greylist {
namespace {

class MemoryStore : public Store {
 public:
  std::vector<Decision> update(std::span<const std::string> keys,
                               const Step& step) override {
    const std::lock_guard lock(mutex_);
    std::vector<Decision> decisions;
    for (const std::string& key : keys) {
      const auto found = records_.find(key);
      decisions.push_back(
          step(found == records_.end() ? std::nullopt : std::optional(found->second)));
      if (decisions.back().write) records_[key] = *decisions.back().write;
    }
    return decisions;
  }

  std::size_t sweep(Time now) override {
    const std::lock_guard lock(mutex_);
    return std::erase_if(records_,
                         [now](const auto& entry) { return entry.second.expires < now; });
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, Record> records_;
};

}  // namespace

std::unique_ptr<Store> open_memory_store() {
  return std::make_unique<MemoryStore>();
}

}  // namespace mxfeed::greylist
