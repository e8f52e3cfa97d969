// SPDX-License-Identifier: GPL-2.0-or-later
//
// A client of Redis: one server, the master that Sentinels name, or a cluster.
//
//   Redis redis({.servers = {*RedisAddress::parse("192.0.2.7:6379")}});
//   const std::string_view words[] = {"GET", key};
//   const RedisReply reply = redis.run(key, words, steady_clock::now() + 250ms);
//
// Nothing runs in the background, and no lock is held while anything waits: who finds no
// free connection opens one, within its own deadline.  TLS is not spoken; stunnel(8) does
// that, on a unix socket.

#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/store/breaker.h"
#include "common/store/redis_address.h"
#include "common/store/redis_connection.h"
#include "common/store/redis_reply.h"

namespace mxfeed {

enum class RedisKind {
  single,    // the first of the servers
  sentinel,  // the servers are Sentinels
  cluster,   // the servers are some of its nodes
};

struct RedisOptions {
  RedisKind kind = RedisKind::single;
  std::vector<RedisAddress> servers;  // at least one
  std::string master;                 // as the Sentinels name it
  RedisLogin login;
  std::size_t connections = 16;  // at most to one server; further threads wait for one
  // A server that failed so often in a row is not asked for so long.
  unsigned faults = 5;
  std::chrono::milliseconds rest{5000};
};

// Thread-safe.
//
// Every call throws Fault if there is no reply by its deadline, at once while a server is
// not asked, and RedisError if Redis refuses the command.  A command is sent again if its
// connection was lost or the server is no longer the right one; it may have been carried
// out before, so it must do no harm twice.
class Redis {
 public:
  using Instant = RedisConnection::Instant;
  using Words = RedisConnection::Words;

  explicit Redis(RedisOptions options);
  ~Redis();
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  // Runs a command at the server that has the key's slot.  In a cluster all keys of the
  // command must be in that slot: give them a common "{tag}".
  RedisReply run(std::string_view key, Words words, Instant deadline);
  // Runs a Lua script with at least one key: one round trip, but for the first call and
  // after Redis has lost the script.  Throws Fault if the keys are in several slots of a
  // cluster.
  RedisReply run_script(const std::string& script, Words keys, Words arguments,
                        Instant deadline);

 private:
  struct Server;
  using ServerPtr = std::shared_ptr<Server>;
  class Lease;

  ServerPtr server_at(const RedisAddress& address);
  // The one to ask for the slot; asks Sentinels or the cluster for it if need be.
  ServerPtr server_for(unsigned slot, Instant deadline);
  ServerPtr known_server(unsigned slot) const;
  void learn_servers(Instant deadline);
  void learn_master(Server& sentinel, Instant deadline);
  void learn_slots(Server& node, Instant deadline);
  // The server of the slot has moved, or there may be another one for it.
  void doubt();
  // Where a redirection leads, and notes it.
  ServerPtr follow(const RedisError& error, unsigned slot, const Server& from);
  // Runs it at this server; after ASKING if it is a migration's target.
  RedisReply ask(Server& server, Words words, bool is_asking, Instant deadline);
  RedisReply try_ask(Server& server, Words words, bool is_asking, Instant deadline);
  std::string sha_of(const std::string& script, std::string_view key, Instant deadline);

  const RedisOptions options_;

  mutable std::mutex mutex_;                  // guards all below
  std::map<std::string, ServerPtr> servers_;  // by address
  std::size_t next_source_ = 0;               // of `servers`, whom to ask first
  bool is_doubtful_ = true;
  Instant ask_again_at_{};
  ServerPtr master_;
  std::vector<ServerPtr> slots_;             // of a cluster
  std::map<std::string, std::string> shas_;  // of scripts
};

}  // namespace mxfeed
