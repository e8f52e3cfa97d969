// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/store/redis.h"

#include <algorithm>
#include <condition_variable>
#include <optional>
#include <thread>
#include <utility>

#include "common/base/text.h"

namespace mxfeed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Monotonic = std::chrono::steady_clock;

// A connection that was not used for longer may have been dropped by a firewall.
constexpr auto kIdle = seconds(60);
// Who has which slot, or is the master, is asked for this often while it is in doubt.
constexpr auto kAskAgain = seconds(1);
// How often a command follows redirections.
constexpr int kMostHops = 5;
constexpr auto kTryAgain = milliseconds(5);
constexpr std::size_t kMostServers = 1000;

}  // namespace

struct Redis::Server {
  Server(RedisAddress where, bool has_data, const RedisOptions& options)
      : address(std::move(where)),
        must_log_in(has_data),
        breaker(options.faults, options.rest) {}

  struct Idle {
    std::unique_ptr<RedisConnection> connection;
    Instant since;
  };

  const RedisAddress address;
  const bool must_log_in;
  Breaker breaker;
  // Guarded by the client's mutex.
  std::vector<Idle> idle;  // the last used one is the last
  std::size_t open = 0;    // idle or in use
  std::condition_variable freed;
};

// A connection taken from a server.
class Redis::Lease {
 public:
  Lease(Redis& redis, Server& server, Instant deadline) : redis_(redis), server_(server) {
    std::unique_lock lock(redis_.mutex_);
    while (server_.idle.empty() && server_.open >= redis_.options_.connections) {
      if (server_.freed.wait_until(lock, deadline) == std::cv_status::timeout) {
        throw Fault("ask Redis", server_.address.str(), "all connections are in use");
      }
    }
    if (!server_.idle.empty() && Monotonic::now() - server_.idle.back().since > kIdle) {
      drop_idle();
    }
    if (server_.idle.empty()) {
      ++server_.open;
      lock.unlock();
      open(deadline);
      return;
    }
    connection_ = std::move(server_.idle.back().connection);
    server_.idle.pop_back();
    is_used_ = true;
  }

  ~Lease() {
    {
      const std::lock_guard lock(redis_.mutex_);
      if (connection_) {
        server_.idle.push_back({std::move(connection_), Monotonic::now()});
      } else {
        --server_.open;
      }
    }
    server_.freed.notify_one();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  RedisConnection& connection() { return *connection_; }
  // Whether it was used before; then the server may have closed it.
  bool is_used() const { return is_used_; }
  // Opens another one in its place.  Those that are idle are closed too: they are no
  // younger.
  void reopen(Instant deadline) {
    connection_.reset();
    {
      const std::lock_guard lock(redis_.mutex_);
      drop_idle();
    }
    connect(deadline);
  }
  // It is of no more use.
  void close() { connection_.reset(); }

 private:
  void drop_idle() {
    server_.open -= server_.idle.size();
    server_.idle.clear();
  }
  void connect(Instant deadline) {
    is_used_ = false;
    connection_ = std::make_unique<RedisConnection>(
        server_.address, redis_.options_.login, server_.must_log_in, deadline);
  }
  void open(Instant deadline) {
    try {
      connect(deadline);
    } catch (...) {
      {
        const std::lock_guard lock(redis_.mutex_);
        --server_.open;
      }
      server_.freed.notify_one();
      throw;
    }
  }

  Redis& redis_;
  Server& server_;
  std::unique_ptr<RedisConnection> connection_;
  bool is_used_ = false;
};

Redis::Redis(RedisOptions options) : options_(std::move(options)) {
  if (options_.servers.empty()) throw Fault("use Redis", "servers", "none");
  if (options_.kind == RedisKind::cluster) slots_.resize(kRedisSlots);
}

Redis::~Redis() = default;

Redis::ServerPtr Redis::server_at(const RedisAddress& address) {
  const std::lock_guard lock(mutex_);
  const auto found = servers_.find(address.str());
  if (found != servers_.end()) return found->second;
  // Those that a cluster no longer has.
  for (auto at = servers_.begin(); servers_.size() >= kMostServers;) {
    if (at == servers_.end()) {
      throw Fault("ask Redis", address.str(), "too many servers");
    }
    at = at->second.use_count() == 1 ? servers_.erase(at) : std::next(at);
  }
  const auto& given = options_.servers;
  const bool is_sentinel = options_.kind == RedisKind::sentinel &&
                           std::find(given.begin(), given.end(), address) != given.end();
  auto server = std::make_shared<Server>(address, !is_sentinel, options_);
  servers_.emplace(address.str(), server);
  return server;
}

// ---- one server

RedisReply Redis::try_ask(Server& server, Words words, bool is_asking, Instant deadline) {
  Lease lease(*this, server, deadline);
  const auto run = [&] {
    if (is_asking) {
      const std::string_view asking[] = {"ASKING"};
      lease.connection().run(asking, deadline);
    }
    return lease.connection().run(words, deadline);
  };
  try {
    return run();
  } catch (const RedisError&) {
    throw;
  } catch (const Fault&) {
    lease.close();
    if (!lease.is_used() || Monotonic::now() >= deadline) throw;
  }
  try {
    lease.reopen(deadline);
    return run();
  } catch (const RedisError&) {
    throw;
  } catch (const Fault&) {
    lease.close();
    throw;
  }
}

RedisReply Redis::ask(Server& server, Words words, bool is_asking, Instant deadline) {
  if (!server.breaker.allows(Monotonic::now())) {
    throw Fault("ask Redis", server.address.str(),
                "it failed and is not asked for a while");
  }
  try {
    RedisReply reply = try_ask(server, words, is_asking, deadline);
    server.breaker.succeeded();
    return reply;
  } catch (const RedisError&) {
    server.breaker.succeeded();
    throw;
  } catch (const Fault&) {
    server.breaker.failed(Monotonic::now());
    throw;
  }
}

// ---- which server

void Redis::doubt() {
  const std::lock_guard lock(mutex_);
  is_doubtful_ = true;
}

Redis::ServerPtr Redis::known_server(unsigned slot) const {
  return options_.kind == RedisKind::cluster ? slots_[slot] : master_;
}

Redis::ServerPtr Redis::server_for(unsigned slot, Instant deadline) {
  if (options_.kind == RedisKind::single) return server_at(options_.servers.front());
  {
    const std::lock_guard lock(mutex_);
    const auto now = Monotonic::now();
    auto known = known_server(slot);
    if (known && (!is_doubtful_ || now < ask_again_at_)) return known;
    // The others use what is known meanwhile.
    ask_again_at_ = now + kAskAgain;
  }
  std::optional<Fault> problem;
  try {
    learn_servers(deadline);
  } catch (const Fault& fault) {
    problem = fault;
  }
  {
    const std::lock_guard lock(mutex_);
    if (auto known = known_server(slot)) return known;
  }
  if (problem) throw *problem;
  throw Fault("ask Redis", "cluster", "no server has the slot");
}

// Asks one after the other until one answers, each in an equal part of the time, of which
// a part is left for the command.
void Redis::learn_servers(Instant deadline) {
  std::vector<ServerPtr> sources;
  std::size_t first = 0;
  for (const auto& address : options_.servers) sources.push_back(server_at(address));
  {
    const std::lock_guard lock(mutex_);
    first = next_source_;
    // The given nodes of a cluster may be gone.
    if (options_.kind == RedisKind::cluster) {
      for (const auto& server : slots_) {
        if (server &&
            std::find(sources.begin(), sources.end(), server) == sources.end()) {
          sources.push_back(server);
        }
      }
    }
  }
  std::optional<Fault> problem;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    Server& source = *sources[(first + i) % sources.size()];
    const auto now = Monotonic::now();
    // Signed: once the deadline is over, its share is negative, too.
    const auto shares = static_cast<std::int64_t>(sources.size() - i + 1);
    const Instant until = now + (deadline - now) / shares;
    try {
      if (options_.kind == RedisKind::sentinel) {
        learn_master(source, until);
      } else {
        learn_slots(source, until);
      }
      return;
    } catch (const Fault& fault) {
      problem = fault;
    }
    const std::lock_guard lock(mutex_);
    next_source_ = first + i + 1;
  }
  throw *problem;
}

void Redis::learn_master(Server& sentinel, Instant deadline) {
  const std::string_view words[] = {"SENTINEL", "GET-MASTER-ADDR-BY-NAME",
                                    options_.master};
  const RedisReply reply = ask(sentinel, words, false, deadline);
  if (reply.is_nil()) {
    throw Fault("ask Sentinel", sentinel.address.str(), "it knows no such master");
  }
  const auto& parts = reply.list();
  const auto port = parts.size() == 2 ? parse_unsigned(parts[1].text()) : std::nullopt;
  const auto address = port ? RedisAddress::of(parts[0].text(), *port) : std::nullopt;
  if (!address) {
    throw Fault("ask Sentinel", sentinel.address.str(), "the master has no IP address");
  }
  auto master = server_at(*address);
  const std::lock_guard lock(mutex_);
  master_ = std::move(master);
  is_doubtful_ = false;
}

void Redis::learn_slots(Server& node, Instant deadline) {
  const std::string_view words[] = {"CLUSTER", "SLOTS"};
  const RedisReply reply = ask(node, words, false, deadline);
  std::vector<ServerPtr> slots(kRedisSlots);
  for (const RedisReply& range : reply.list()) {
    const auto& parts = range.list();
    if (parts.size() < 3 || parts[2].list().size() < 2) {
      throw Fault("ask Redis", node.address.str(), "malformed list of slots");
    }
    const auto& master = parts[2].list();
    // No name: the node that was asked.
    const bool has_name = !master[0].is_nil() && !master[0].text().empty();
    const auto address =
        RedisAddress::of(has_name ? master[0].text() : node.address.host(),
                         static_cast<std::uint64_t>(master[1].number()));
    if (!address) {
      throw Fault("ask Redis", node.address.str(), "a node has no IP address");
    }
    const ServerPtr server = server_at(*address);
    const auto first = std::max(parts[0].number(), std::int64_t{0});
    const auto last = std::min(parts[1].number(), std::int64_t{kRedisSlots - 1});
    for (auto slot = first; slot <= last; ++slot) {
      slots[static_cast<std::size_t>(slot)] = server;
    }
  }
  const std::lock_guard lock(mutex_);
  slots_ = std::move(slots);
  is_doubtful_ = false;
}

Redis::ServerPtr Redis::follow(const RedisError& error, unsigned slot,
                               const Server& from) {
  // "MOVED 3999 192.0.2.7:6379"; an IPv6 address has no brackets.
  const auto where = error.word(2);
  const auto colon = where.rfind(':');
  const auto port = colon == std::string_view::npos
                        ? std::nullopt
                        : parse_unsigned(where.substr(colon + 1));
  const auto host = colon == 0 ? std::string_view(from.address.host())
                               : where.substr(0, port ? colon : 0);
  const auto address = port ? RedisAddress::of(host, *port) : std::nullopt;
  if (!address) throw Fault("follow Redis", from.address.str(), error.cause());
  auto server = server_at(*address);
  if (error.code() == "MOVED") {
    const std::lock_guard lock(mutex_);
    slots_[slot] = server;
    // Others may have moved with it.
    is_doubtful_ = true;
  }
  return server;
}

// ---- commands

RedisReply Redis::run(std::string_view key, Words words, Instant deadline) {
  const unsigned slot = redis_slot(key);
  const bool is_cluster = options_.kind == RedisKind::cluster;
  ServerPtr server = server_for(slot, deadline);
  bool is_asking = false;
  for (int hop = 0;; ++hop) {
    try {
      return ask(*server, words, is_asking, deadline);
    } catch (const RedisError& error) {
      if (hop >= kMostHops || Monotonic::now() >= deadline) throw;
      const auto code = error.code();
      if (is_cluster && (code == "MOVED" || code == "ASK")) {
        server = follow(error, slot, *server);
        is_asking = code == "ASK";
      } else if (is_cluster && code == "TRYAGAIN") {
        // Some keys of the slot have been migrated, and some not yet.
        --hop;
        std::this_thread::sleep_until(std::min(Monotonic::now() + kTryAgain, deadline));
      } else {
        // READONLY: it is no longer the master.
        if (code == "READONLY" || code == "CLUSTERDOWN") doubt();
        const auto other = code == "READONLY" ? server_for(slot, deadline) : server;
        if (other == server) throw;
        server = other;
      }
    } catch (const Fault&) {
      doubt();
      if (hop >= kMostHops || Monotonic::now() >= deadline) throw;
      const auto other = server_for(slot, deadline);
      if (other == server) throw;
      server = other;
      is_asking = false;
    }
  }
}

std::string Redis::sha_of(const std::string& script, std::string_view key,
                          Instant deadline) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = shas_.find(script);
    if (found != shas_.end()) return found->second;
  }
  const std::string_view words[] = {"SCRIPT", "LOAD", script};
  const std::string sha = run(key, words, deadline).text();
  const std::lock_guard lock(mutex_);
  return shas_.emplace(script, sha).first->second;
}

RedisReply Redis::run_script(const std::string& script, Words keys, Words arguments,
                             Instant deadline) {
  const std::string_view key = keys.front();
  for (const auto other : keys) {
    if (options_.kind == RedisKind::cluster && redis_slot(other) != redis_slot(key)) {
      throw Fault("run script", escape_untrusted(other),
                  "another slot than the first key");
    }
  }
  const std::string sha = sha_of(script, key, deadline);
  const std::string count = std::to_string(keys.size());
  std::vector<std::string_view> words{"EVALSHA", sha, count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  try {
    return run(key, words, deadline);
  } catch (const RedisError& error) {
    if (error.code() != "NOSCRIPT") throw;
  }
  // This keeps it, too.
  words[0] = "EVAL";
  words[1] = script;
  return run(key, words, deadline);
}

}  // namespace mxfeed
