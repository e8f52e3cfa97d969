// SPDX-License-Identifier: GPL-2.0-or-later
//
// Records in Redis, which all hosts of a gateway share.
//
// Keys: PREFIX:greylist:{SCOPE}:DIGEST, SCOPE a digest of Keys::scope.  The braces keep
// all that is kept of one sender in one slot of a cluster; the records of a host and of a
// provider, PREFIX:greylist:{DIGEST}, are for all senders and have slots of their own.
// Every key expires by itself, so a sweep has nothing to do.  Addresses are in digests
// only.
//
// A decision reads all its keys in one round trip.  Changes are made in a second one, if
// nothing of what was read of the sender has changed since; else the decision is made
// again on what is there now, and that stands: another host has just written the same. If
// two count a message of one host or provider at once, it counts once.
//
// In a cluster the keys of the host and the provider are read when the decision asks for
// them, which it does not for a sender that is known, and changed with a further command
// each.

#include "milters/greylist/stores/redis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "common/base/digest.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/base/text.h"
#include "milters/greylist/stores/redis_value.h"

namespace mxfeed::greylist {
namespace {

using std::chrono::seconds;

constexpr std::size_t kScopeBytes = 8;

// KEYS: all of the decision.  ARGV: for each what was read ("" if nothing, "*" if it does
// not matter), then for each what it becomes ("": it stays; "-": it is removed) and for
// how many seconds.  Replies with what is there if that is not what was read, else with
// nothing.
constexpr const char* kChangeScript = R"(
local there = redis.call('MGET', unpack(KEYS))
for i = 1, #KEYS do
  if ARGV[i] ~= '*' and (there[i] or '') ~= ARGV[i] then
    for j = 1, #KEYS do there[j] = there[j] or '' end
    return there
  end
end
for i = 1, #KEYS do
  local value = ARGV[#KEYS + 2 * i - 1]
  if value == '-' then redis.call('DEL', KEYS[i])
  elseif value ~= '' then redis.call('SET', KEYS[i], value, 'EX', ARGV[#KEYS + 2 * i])
  end
end
return {}
)";

std::optional<Record> record_of(const std::string& value) {
  if (value.empty()) return std::nullopt;
  auto stored = decode_record(value);
  if (!stored) {
    counter("mxfeed_greylist_redis_damaged_total").add();
    return std::nullopt;
  }
  return stored->record;
}

bool is_of_sender(Slot slot) {
  return slot < Slot::host;
}

// By slot; those that the client does not have are empty.
struct Names {
  Names(const std::string& prefix, const Keys& keys, bool is_cluster) {
    const std::string scope = to_hex(digest(keys.scope, kScopeBytes));
    for (std::size_t i = 0; i < kSlots; ++i) {
      const std::string& digest = keys.by_slot.at(i).digest;
      if (digest.empty()) continue;
      const auto slot = static_cast<Slot>(i);
      by_slot.at(i) =
          is_of_sender(slot)
              ? fmt::format("{}:greylist:{{{}}}:{}", prefix, scope, to_hex(digest))
              : fmt::format("{}:greylist:{{{}}}", prefix, to_hex(digest));
      (is_of_sender(slot) || !is_cluster ? together : apart).push_back(slot);
    }
  }
  const std::string& at(Slot slot) const {
    return by_slot.at(static_cast<std::size_t>(slot));
  }
  bool is_apart(Slot slot) const { return std::ranges::find(apart, slot) != apart.end(); }

  std::array<std::string, kSlots> by_slot;
  std::vector<Slot> together, apart;  // those that one command can read, and the others
};

class RedisStore : public Store {
 public:
  RedisStore(RedisOptions options, std::string prefix, Clock clock)
      : is_cluster_(options.kind == RedisKind::cluster),
        redis_(std::move(options)),
        prefix_(std::move(prefix)),
        clock_(std::move(clock)) {}

  Decision update(const Keys& keys, const Step& step, Deadline deadline) override {
    const Names names(prefix_, keys, is_cluster_);
    Values values;
    read(names.together, names, values, deadline);
    const Look look = [&](Slot slot) {
      auto& value = values.at(static_cast<std::size_t>(slot));
      if (!value && names.is_apart(slot)) read({slot}, names, values, deadline);
      return value ? record_of(*value) : std::nullopt;
    };
    Decision decision = step(look);
    if (decision.changes.empty()) return decision;
    if (has_changed(names, values, keys, decision, deadline)) return step(look);
    for (const Change& one : decision.changes) {
      if (!names.is_apart(one.slot) || !one.record) continue;
      set(names.at(one.slot), keys.at(one.slot), *one.record, deadline);
    }
    return decision;
  }

  Swept sweep(Time) override { return {}; }

 private:
  // What was read; "" if there is none.
  using Values = std::array<std::optional<std::string>, kSlots>;

  void read(const std::vector<Slot>& slots, const Names& names, Values& values,
            Deadline deadline) {
    std::vector<std::string_view> words = {"MGET"};
    for (const Slot slot : slots) words.push_back(names.at(slot));
    take(redis_.run(words.at(1), words, deadline), slots, values);
  }

  static void take(const RedisReply& reply, const std::vector<Slot>& slots,
                   Values& values) {
    const auto& list = reply.list();
    if (list.size() != slots.size()) {
      throw Fault("use greylist store", "redis", "a reply of the wrong length");
    }
    for (std::size_t i = 0; i < slots.size(); ++i) {
      values.at(static_cast<std::size_t>(slots[i])) =
          list[i].is_nil() ? std::string() : list[i].text();
    }
  }

  std::string seconds_left(const Record& record) const {
    const auto left = record.expires - clock_();
    return std::to_string(std::max<std::int64_t>(left.count() + 1, 1));
  }

  // Makes the changes of the keys that are together; or, if they are not what was read,
  // reads what they are.
  bool has_changed(const Names& names, Values& values, const Keys& keys,
                   const Decision& decision, Deadline deadline) {
    const auto& slots = names.together;
    std::vector<std::string> arguments;
    std::vector<std::string_view> key_words;
    for (const Slot slot : slots) {
      key_words.push_back(names.at(slot));
      arguments.push_back(is_of_sender(slot)
                              ? values.at(static_cast<std::size_t>(slot)).value_or("")
                              : "*");
    }
    arguments.resize(3 * slots.size());
    for (const Change& one : decision.changes) {
      const auto found = std::ranges::find(slots, one.slot);
      if (found == slots.end()) continue;
      const auto at = slots.size() + 2 * static_cast<std::size_t>(found - slots.begin());
      arguments.at(at) = one.record ? encode_record(keys.at(one.slot), *one.record) : "-";
      if (one.record) arguments.at(at + 1) = seconds_left(*one.record);
    }
    const std::vector<std::string_view> views(arguments.begin(), arguments.end());
    const RedisReply reply = redis_.run_script(kChangeScript, key_words, views, deadline);
    if (reply.list().empty()) return false;
    take(reply, slots, values);
    return true;
  }

  void set(const std::string& name, const Key& key, const Record& record,
           Deadline deadline) {
    const std::string value = encode_record(key, record);
    const std::string left = seconds_left(record);
    const std::string_view words[] = {"SET", name, value, "EX", left};
    redis_.run(name, words, deadline);
  }

  const bool is_cluster_;
  Redis redis_;
  const std::string prefix_;
  const Clock clock_;
};

class RedisView : public StoreView {
 public:
  RedisView(RedisOptions options, std::string prefix)
      : is_cluster_(options.kind == RedisKind::cluster),
        redis_(std::move(options)),
        prefix_(std::move(prefix)) {}

  std::optional<Record> find(const Keys& keys, Slot slot) override {
    const Names names(prefix_, keys, is_cluster_);
    const std::string_view words[] = {"GET", names.at(slot)};
    const RedisReply reply = redis_.run(names.at(slot), words, soon());
    return reply.is_nil() ? std::nullopt : record_of(reply.text());
  }

  void each(const Visit& visit) override {
    if (is_cluster_) {
      throw Fault("list greylist store", "redis", "a cluster cannot be listed");
    }
    const std::string pattern = prefix_ + ":greylist:*";
    std::string cursor = "0";
    do {
      const std::string_view words[] = {"SCAN",  cursor,  "MATCH",
                                        pattern, "COUNT", "1000"};
      const RedisReply reply = redis_.run(prefix_, words, soon());
      if (reply.list().size() != 2) {
        throw Fault("list greylist store", "redis", "a reply of the wrong length");
      }
      show(reply.list()[1], visit);
      cursor = reply.list()[0].text();
    } while (cursor != "0");
  }

 private:
  static Deadline soon() { return std::chrono::steady_clock::now() + seconds(5); }

  void show(const RedisReply& names, const Visit& visit) {
    for (const RedisReply& name : names.list()) {
      const std::string_view words[] = {"GET", name.text()};
      const RedisReply value = redis_.run(name.text(), words, soon());
      if (value.is_nil()) continue;
      if (const auto stored = decode_record(value.text()))
        visit(stored->key, stored->record);
    }
  }

  const bool is_cluster_;
  Redis redis_;
  const std::string prefix_;
};

}  // namespace

std::unique_ptr<StoreView> view_redis_store(RedisOptions options, std::string prefix) {
  return std::make_unique<RedisView>(std::move(options), std::move(prefix));
}

std::unique_ptr<Store> open_redis_store(RedisOptions options, std::string prefix,
                                        Clock clock) {
  return std::make_unique<RedisStore>(std::move(options), std::move(prefix),
                                      std::move(clock));
}

}  // namespace mxfeed::greylist
