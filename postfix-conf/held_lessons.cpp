// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/held_lessons.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/command/owner.h"
#include "postfix-conf/quarantine/store.h"

namespace mxfeed::quarantine {
namespace {

constexpr std::string_view kDaemon = "quarantine";
constexpr const char* kDatabase = "quarantine.db";
constexpr std::size_t kMostOfMessage = std::size_t{64} << 20;

// Nothing if the message was removed just now.
std::optional<std::string> beginning_of(const std::filesystem::path& file) {
  const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened && errno == ENOENT) return std::nullopt;
  if (!opened) throw Fault("read", file.string(), errno_text(errno));
  std::string content;
  char buffer[65536];
  while (content.size() < kMostOfMessage) {
    const auto got = ::read(opened.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Fault("read", file.string(), errno_text(errno));
    if (got == 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
  }
  return content;
}

// Nothing if the message was removed just now.
std::optional<spam::HeldLesson> lesson_of(const Store& store, const Item& item) {
  spam::HeldLesson lesson{item.id, item.address, item.sender, {}, {}};
  try {
    auto content = beginning_of(store.content_of(item));
    if (!content) return std::nullopt;
    lesson.content = *std::move(content);
  } catch (const Fault& fault) {
    lesson.fault = fault.what();
  }
  return lesson;
}

class StoredLessons : public spam::HeldLessons {
 public:
  explicit StoredLessons(std::filesystem::path state) : state_(std::move(state)) {}

  void each(std::size_t most,
            const std::function<bool(const spam::HeldLesson&)>& see) override {
    const ActingDaemon acting(state_, kDaemon);
    const Store store = open();
    // Those that are not taken stay, but they do not count: else enough of them would
    // hide all others.
    for (std::size_t taken = 0, seen = 0; taken < most;) {
      const std::vector<Item> items = store.lessons(most - taken, seen);
      if (items.empty()) return;
      seen += items.size();
      for (const Item& item : items) {
        const auto lesson = lesson_of(store, item);
        if (lesson && see(*lesson)) ++taken;
      }
    }
  }

  void remove(const std::vector<std::int64_t>& ids) override {
    if (ids.empty()) return;
    const ActingDaemon acting(state_, kDaemon);
    Store store = open();
    for (const auto id : ids) store.remove(id, Standing::learned, system_time());
  }

 private:
  Store open() const { return {state_ / kDaemon, Sqlite::Access::read_write}; }

  const std::filesystem::path state_;
};

}  // namespace

std::unique_ptr<spam::HeldLessons> open_lessons(const std::filesystem::path& state) {
  std::error_code error;
  if (!std::filesystem::exists(state / kDaemon, error)) return nullptr;
  const ActingDaemon acting(state, kDaemon);
  if (!std::filesystem::exists(state / kDaemon / kDatabase, error)) return nullptr;
  return std::make_unique<StoredLessons>(state);
}

}  // namespace mxfeed::quarantine
