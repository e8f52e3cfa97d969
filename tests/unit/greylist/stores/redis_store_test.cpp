// SPDX-License-Identifier: GPL-2.0-or-later
//
// What only a store in Redis has.

#include "milters/greylist/stores/redis.h"

#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <string>

#include "common/base/text.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/greylist/stores/store_rig.h"

namespace mxfeed::greylist {
namespace {

TEST_CASE("two hosts that share Redis know the same senders", "[greylist]") {
  if (!has_redis()) return;
  const RedisServer server = RedisServer::on_socket();
  const auto open = [&] {
    return open_redis_store(options_of(server), "test", [] { return at(1000); });
  };
  const auto one = open();
  const auto other = open();
  CHECK(decide_at(*one, 1000).outcome == Outcome::first_seen);
  CHECK(decide_at(*other, 1001).outcome == Outcome::too_early);
  CHECK(decide_at(*other, 1180).outcome == Outcome::passed);
  CHECK(decide_at(*one, 1181).outcome == Outcome::known);
}

TEST_CASE("a decision takes one command, and one more to change something",
          "[greylist]") {
  if (!has_redis()) return;
  const RedisServer server = RedisServer::on_socket();
  const auto store =
      open_redis_store(options_of(server), "test", [] { return at(1000); });
  // A host of a provider, so that all eight records are used.
  const Keys all = keys_of({{IdentityKind::domain, "s.example"},
                            {IdentityKind::network, "192.0.2.0/24"},
                            "192.0.2.7",
                            "provider.example"},
                           "a@s.example", {"info", "acme.example"}, "acme.example");
  Terms terms;
  terms.is_verified = terms.has_provider = true;
  const auto calls = [&](std::string_view command) {
    const auto statistics = server.ask({"INFO", "commandstats"}).text();
    const auto at_ = statistics.find(fmt::format("cmdstat_{}:calls=", command));
    if (at_ == std::string::npos) return 0ul;
    const auto digits = statistics.find('=', at_) + 1;
    return std::stoul(statistics.substr(digits));
  };
  struct Row {
    int when;
    Outcome outcome;
    unsigned scripts;
  };
  for (const Row& row : {Row{1000, Outcome::first_seen, 1},
                         {1001, Outcome::too_early, 0},
                         {1180, Outcome::passed, 1},
                         {1181, Outcome::known_identity, 0},
                         {90'000, Outcome::known_identity, 1}}) {
    CAPTURE(row.when);
    server.ask({"CONFIG", "RESETSTAT"});
    const auto decision = store->update(
        all, [&](const Look& look) { return decide(look, at(row.when), terms); }, soon());
    CHECK(decision.outcome == row.outcome);
    const auto scripts = calls("evalsha");
    CHECK(scripts == row.scripts);
    // The script reads, too.
    CHECK(calls("mget") == 1 + scripts);
    CHECK(calls("get") == 0);
  }
}

TEST_CASE("a user of Redis with the rights of the manual is enough", "[greylist]") {
  if (!has_redis()) return;
  const TempDirectory directory;
  std::ofstream(directory.path() / "password") << "secret";
  const RedisServer server = RedisServer::on_socket(
      {"user default on >other ~* +@all",
       "user mxfeed on >secret ~test:* -@all +mget +get +set +del +scan +evalsha +eval "
       "+script|load"});
  RedisOptions options = options_of(server);
  options.login = {"mxfeed", directory.path() / "password"};
  const auto store = open_redis_store(options, "test", [] { return at(1000); });
  CHECK(decide_at(*store, 1000).outcome == Outcome::first_seen);
  CHECK(decide_at(*store, 1180).outcome == Outcome::passed);
  CHECK(decide_at(*store, 1181).outcome == Outcome::known);
  int listed = 0;
  view_redis_store(options, "test")->each([&](const Key&, const Record&) { ++listed; });
  CHECK(listed > 0);
}

TEST_CASE("what another host has written meanwhile decides", "[greylist]") {
  if (!has_redis()) return;
  const RedisServer server = RedisServer::on_socket();
  const auto open = [&] {
    return open_redis_store(options_of(server), "test", [] { return at(1000); });
  };
  const auto one = open();
  const auto other = open();
  int runs = 0;
  const Decision got = one->update(
      keys("a"),
      [&](const Look& look) {
        Decision decision = decide(look, at(1000), Terms{});
        if (++runs == 1) change(*other, "a", Record{at(900), at(900), at(90'000), 0});
        return decision;
      },
      soon());
  CHECK(runs == 2);
  CHECK(got.outcome == Outcome::too_early);
  CHECK(got.wait == seconds(80));
  CHECK(read(*one, "a") == Record{at(900), at(900), at(90'000), 0});
}

TEST_CASE("a damaged value in Redis counts as none", "[greylist]") {
  if (!has_redis()) return;
  const RedisServer server = RedisServer::on_socket();
  const RedisOptions options = options_of(server);
  const auto store = open_redis_store(options, "test", [] { return at(1000); });
  write(*store, "a", {at(900), at(900), at(90'000), 0});
  Redis redis(options);
  const std::string_view list[] = {"KEYS", "test:greylist:*"};
  const auto names = redis.run("", list, soon()).list();
  REQUIRE(names.size() == 1);
  for (const char* value : {"x", "1 3 2 0 9 9 9 0\nonly one", "2 3 2 0 9 9 9 0\na\nb",
                            "1 3 7 0 9 9 9 0\na\nb", "1 3 2 0 9 9 9 x\na\nb"}) {
    const std::string_view set[] = {"SET", names[0].text(), value};
    redis.run(names[0].text(), set, soon());
    CHECK_FALSE(read(*store, "a"));
  }
}

}  // namespace
}  // namespace mxfeed::greylist
