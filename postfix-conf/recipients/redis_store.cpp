// SPDX-License-Identifier: GPL-2.0-or-later
//
// Keys: PREFIX:recipients:{DOMAIN}: and
//   server     what is known of the domain's server
//   a:DIGEST   what is known of an address
//   accepted   the addresses that were accepted last, sorted by time
// The braces keep all of a domain in one slot of a cluster.  Every key expires by itself.
// Addresses are digests but for the few of `accepted`, which are asked about.
// Values are tagged (tagged_value.h); one that cannot be read counts as unknown.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/digest.h"
#include "common/base/fault.h"
#include "common/base/metrics.h"
#include "common/base/text.h"
#include "common/policy/tagged_value.h"
#include "postfix-conf/recipients/redis_store.h"

namespace mxfeed {

template <>
struct LastValue<recipients::Address::Standing> {
  static constexpr auto value = recipients::Address::Standing::doubted;
};
template <>
struct LastValue<recipients::Address::Source> {
  static constexpr auto value = recipients::Address::Source::delivery;
};

namespace recipients {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Monotonic = std::chrono::steady_clock;

constexpr char kAddressValue = 'a';
constexpr char kServerValue = 's';
constexpr std::size_t kDigestSize = 16;
// How often an update is tried while others change the same.
constexpr int kMostTries = 50;
// One that is refused later is no longer among them.
constexpr std::string_view kMostAccepted = "8";
// Times may lie in the future after the clock went back.
constexpr seconds kLongestLife = 2 * kAcceptedFor;

// KEYS: of the address, of the server, of the accepted ones.  ARGV: what was read of the
// first two ("" if nothing); what they become ("": they stay) and for how many seconds;
// the address in clear, since when it is accepted (seconds since 1970; "": it is not),
// how many accepted ones are kept, and since when at the earliest.
// Replies with what is there if it is not what was read, else with nothing.
constexpr const char* kReplaceScript = R"(
local there = redis.call('MGET', KEYS[1], KEYS[2])
for i = 1, 2 do
  if (there[i] or '') ~= ARGV[i] then return {there[1] or '', there[2] or ''} end
end
if ARGV[5] ~= '' then redis.call('SET', KEYS[2], ARGV[5], 'EX', ARGV[6]) end
if ARGV[3] == '' then return {} end
redis.call('SET', KEYS[1], ARGV[3], 'EX', ARGV[4])
local type = redis.call('TYPE', KEYS[3]).ok
if type ~= 'zset' and type ~= 'none' then redis.call('DEL', KEYS[3]) end
if ARGV[8] == '' then
  redis.call('ZREM', KEYS[3], ARGV[7])
else
  redis.call('ZADD', KEYS[3], ARGV[8], ARGV[7])
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. ARGV[10])
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - ARGV[9])
  redis.call('EXPIRE', KEYS[3], ARGV[4])
end
return {}
)";

// Whether scripts run and may write.
constexpr const char* kCheckScript = "return redis.call('SET', KEYS[1], '1', 'EX', 60)";

template <typename Visitor, typename Value>
void visit_address(Visitor& field, Value& address) {
  field(1, address.standing);
  field(2, address.at);
  field(3, address.source);
}

template <typename Visitor, typename Value>
void visit_server(Visitor& field, Value& server) {
  field(1, server.random_at);
  field(2, server.takes_random);
  field(3, server.accepted_at);
  field(4, server.not_askable_at);
  field(5, server.failed_at);
  field(6, server.recovered_at);
  field(7, server.unclear_since);
}

// The values of both keys as they are stored; empty if there is none.
struct Stored {
  std::string address, server;
};

struct Decoded {
  Knowledge known;
  Stored unknown;  // fields of a later version
};

std::string encode(const Address& address, std::string_view unknown) {
  TaggedWriter writer(kAddressValue, unknown);
  visit_address(writer, address);
  return std::move(writer).finish();
}

std::string encode(const Server& server, std::string_view unknown) {
  TaggedWriter writer(kServerValue, unknown);
  visit_server(writer, server);
  return std::move(writer).finish();
}

std::optional<Address> decode_address(std::string_view bytes, std::string& unknown) {
  // The numbers begin at 1: these are missing unless they are read.
  Address address{Address::Standing{}, {}, Address::Source{}};
  TaggedReader reader(kAddressValue, bytes);
  visit_address(reader, address);
  const bool is_whole = reader.finish(unknown);
  const bool is_sound =
      address.standing != Address::Standing{} && address.source != Address::Source{};
  if (!is_whole || !is_sound) return std::nullopt;
  return address;
}

std::optional<Server> decode_server(std::string_view bytes, std::string& unknown) {
  Server server;
  TaggedReader reader(kServerValue, bytes);
  visit_server(reader, server);
  if (!reader.finish(unknown)) return std::nullopt;
  return server;
}

void count_damage() {
  counter("mxfeed_recipients_redis_damaged_total").add();
}

Decoded decode(const Stored& stored) {
  Decoded decoded;
  if (!stored.address.empty()) {
    decoded.known.address = decode_address(stored.address, decoded.unknown.address);
    if (!decoded.known.address) {
      decoded.unknown.address.clear();
      count_damage();
    }
  }
  if (!stored.server.empty()) {
    const auto server = decode_server(stored.server, decoded.unknown.server);
    decoded.known.server = server.value_or(Server{});
    if (!server) {
      decoded.unknown.server.clear();
      count_damage();
    }
  }
  return decoded;
}

Stored stored_of(const RedisReply& reply) {
  const auto& list = reply.list();
  if (list.size() != 2) throw Fault("ask Redis", "recipients", "malformed reply");
  const auto text = [](const RedisReply& one) {
    return one.is_nil() ? std::string() : one.text();
  };
  return {text(list[0]), text(list[1])};
}

class RedisStore : public Store {
 public:
  explicit RedisStore(RedisStoreOptions options)
      : redis_(std::move(options.redis)),
        prefix_(options.prefix + ":recipients:"),
        clock_(std::move(options.clock)),
        budget_(options.budget) {}

  Knowledge find(const Recipient& recipient) override {
    return decode(read(keys_of(recipient), deadline())).known;
  }

  Knowledge update(const Recipient& recipient, const Step& step) override {
    const auto until = deadline();
    const Keys keys = keys_of(recipient);
    Stored stored = read(keys, until);
    for (int i = 0; i < kMostTries; ++i) {
      const Decoded before = decode(stored);
      Knowledge after = step(before.known);
      const auto other = replace(recipient, keys, stored, before, after, until);
      if (!other) return after;
      stored = *other;
    }
    throw Fault("update recipients in Redis", recipient.domain(),
                "others change it all the time");
  }

  std::optional<std::string> accepted_neighbour(const Recipient& recipient) override {
    const std::string key = keys_of(recipient).accepted;
    const std::string_view words[] = {"ZREVRANGE", key, "0", "1"};
    const std::string own = recipient.key();
    const RedisReply reply = redis_.run(key, words, deadline());
    for (const auto& one : reply.list()) {
      if (one.text() != own) return one.text();
    }
    return std::nullopt;
  }

  // Redis does that by itself.  Only sees whether it can be used.
  std::size_t sweep(Time) override {
    const std::string key = prefix_ + "check";
    const std::string_view keys[] = {key};
    redis_.run_script(kCheckScript, keys, {}, deadline());
    return 0;
  }

 private:
  struct Keys {
    std::string address, server, accepted;
  };

  Keys keys_of(const Recipient& recipient) const {
    const std::string start = prefix_ + "{" + recipient.domain() + "}:";
    return {start + "a:" + to_hex(digest(recipient.key(), kDigestSize)), start + "server",
            start + "accepted"};
  }

  Redis::Instant deadline() const { return Monotonic::now() + budget_; }

  Stored read(const Keys& keys, Redis::Instant until) {
    const std::string_view words[] = {"MGET", keys.address, keys.server};
    return stored_of(redis_.run(keys.server, words, until));
  }

  std::string life_until(Time expires) const {
    return std::to_string(
        std::clamp(expires - clock_(), seconds(1), kLongestLife).count());
  }

  // Returns what is there if it is no longer what was read.
  std::optional<Stored> replace(const Recipient& recipient, const Keys& keys,
                                const Stored& stored, const Decoded& before,
                                const Knowledge& after, Redis::Instant until) {
    const bool is_new = after.address && after.address != before.known.address;
    const bool is_new_server = after.server != before.known.server;
    if (!is_new && !is_new_server) return std::nullopt;
    std::array<std::string, 10> arguments{stored.address, stored.server};
    if (is_new) {
      arguments[2] = encode(*after.address, before.unknown.address);
      arguments[3] = life_until(expiry(*after.address));
    }
    if (is_new_server) {
      arguments[4] = encode(after.server, before.unknown.server);
      arguments[5] = life_until(expiry(after.server));
    }
    arguments[6] = recipient.key();
    if (is_new && after.address->standing == Address::Standing::accepted) {
      arguments[7] = std::to_string(after.address->at.time_since_epoch().count());
    }
    arguments[8] = kMostAccepted;
    const Time oldest = clock_() - kAcceptedFor;
    arguments[9] = std::to_string(oldest.time_since_epoch().count());

    const std::string_view names[] = {keys.address, keys.server, keys.accepted};
    const std::vector<std::string_view> words(arguments.begin(), arguments.end());
    const RedisReply reply = redis_.run_script(kReplaceScript, names, words, until);
    if (reply.list().empty()) return std::nullopt;
    return stored_of(reply);
  }

  Redis redis_;
  const std::string prefix_;
  const Clock clock_;
  const milliseconds budget_;
};

}  // namespace

std::unique_ptr<Store> open_redis_store(RedisStoreOptions options) {
  return std::make_unique<RedisStore>(std::move(options));
}

}  // namespace recipients
}  // namespace mxfeed
