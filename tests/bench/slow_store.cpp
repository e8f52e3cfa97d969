// SPDX-License-Identifier: GPL-2.0-or-later
//
// A greylist store that takes three seconds for each answer and knows nobody; any number
// of questions at a time.  Linked in place of the one in SQLite.

#include <chrono>
#include <thread>

#include "common/base/fault.h"
#include "milters/greylist/stores/store.h"

namespace mxfeed::greylist {
namespace {

class SlowStore : public Store {
 public:
  Decision update(const Keys&, const Step& step, Deadline) override {
    std::this_thread::sleep_for(std::chrono::seconds(3));
    return step([](Slot) { return std::nullopt; });
  }
  Swept sweep(Time) override { return {}; }
};

}  // namespace

std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path&) {
  return std::make_unique<SlowStore>();
}

std::unique_ptr<StoreView> view_sqlite_store(const std::filesystem::path& file) {
  throw Fault("view greylist store", file.string(), "the bench's cannot be viewed");
}

}  // namespace mxfeed::greylist
