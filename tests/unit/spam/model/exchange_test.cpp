// SPDX-License-Identifier: GPL-2.0-or-later
//
// Against a real Redis, which the tests start.
#include "milters/spam/model/exchange.h"

#include "common/base/file.h"
#include "tests/support/catch.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/spam/model/lessons.h"

namespace mxfeed::spam {
namespace {

const Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27);

// A gateway whose labels are those of every `step`th message.
struct Gateway {
  TempDirectory directory;

  void learn(std::uint32_t begin, std::uint32_t end, std::uint32_t step) const {
    Trainer trainer(directory.path());
    for (std::uint32_t i = begin; i < end; i += step) {
      trainer.learn(made_sample(i, label_of(i)), label_of(i), Teacher::administrator,
                    "a.example", kNow);
    }
    trainer.publish(kNow);
  }
  Exchange::Outcome exchange(Redis& redis) const {
    Trainer trainer(directory.path());
    Exchange exchange(redis, "test", directory.path() / "exchange");
    const auto outcome = exchange.run(trainer);
    trainer.publish(kNow);
    exchange.keep();
    return outcome;
  }
  std::string model() const { return read_file(directory.path() / "model").value_or(""); }
};

TEST_CASE("gateways that exchange what they learned have the same model", "[spam]") {
  if (!has_redis()) return;
  const auto server = RedisServer::on_socket();
  RedisOptions options;
  options.servers = {server.address()};
  Redis redis(options);
  const Gateway one;
  const Gateway other;
  one.learn(0, 300, 2);
  other.learn(1, 300, 2);
  CHECK(one.exchange(redis).sent == 150);
  const auto both = other.exchange(redis);
  CHECK(both.received == 150);
  CHECK(both.sent == 150);
  CHECK(one.exchange(redis).received == 150);
  CHECK_FALSE(one.model().empty());
  CHECK(one.model() == other.model());

  SECTION("what is known is not told again") {
    for (const Gateway* const gateway : {&one, &other}) {
      const auto again = gateway->exchange(redis);
      CHECK(again.received == 0);
      CHECK(again.sent == 0);
    }
  }
  SECTION("a later label counts everywhere") {
    Trainer trainer(other.directory.path());
    const Label wrong = label_of(4) == Label::ham ? Label::spam : Label::ham;
    trainer.learn(made_sample(4, label_of(4)), wrong, Teacher::user, "b.example", kNow);
    trainer.forget(made_sample(6, label_of(6)).id, kNow);
    trainer.publish(kNow);
  }
  SECTION("a gateway that ended before it stored what it had received") {
    one.learn(301, 310, 1);
    CHECK(one.exchange(redis).sent == 9);
    {
      Trainer trainer(other.directory.path());
      Exchange exchange(redis, "test", other.directory.path() / "exchange");
      CHECK(exchange.run(trainer).received == 9);
    }
    CHECK(other.exchange(redis).received == 9);
  }
  SECTION("a gateway that lost what it exchanged") {
    std::filesystem::remove(one.directory.path() / "exchange");
    CHECK(one.exchange(redis).received == 0);
  }
  SECTION("a gateway that lost everything") {
    std::filesystem::remove_all(one.directory.path() / "journal");
    std::filesystem::remove_all(one.directory.path() / "exchange");
    CHECK(one.exchange(redis).received == 300);
  }
  SECTION("a Redis that lost everything") {
    server.ask({"FLUSHALL"});
    one.learn(300, 310, 1);
  }
  SECTION("what is no entry") {
    server.ask({"XADD", "test:spam:journal", "*", "entry", "nonsense"});
    server.ask({"XADD", "test:spam:journal", "*", "other", "field"});
    const auto outcome = one.exchange(redis);
    CHECK(outcome.damaged == 2);
    CHECK(outcome.received == 0);
  }
  for (const Gateway* const gateway : {&other, &one, &other}) gateway->exchange(redis);
  CHECK(one.model() == other.model());
}

TEST_CASE("without Redis nothing is lost, and it is told later", "[spam]") {
  if (!has_redis()) return;
  auto server = RedisServer::on_socket();
  RedisOptions options;
  options.servers = {server.address()};
  Redis redis(options);
  const Gateway one;
  one.learn(0, 10, 1);
  server.stop();
  CHECK_THROWS_AS(one.exchange(redis), Fault);
  server.start();
  options.rest = std::chrono::milliseconds(0);
  Redis later(options);
  CHECK(one.exchange(later).sent == 10);
}

TEST_CASE("an entry that is older than ours changes nothing", "[spam]") {
  const Gateway one;
  one.learn(0, 10, 1);
  Trainer trainer(one.directory.path());
  Entry entry = *trainer.samples().find(made_sample(3, label_of(3)).id);
  entry.standing = Standing::forgotten;
  --entry.changed;
  CHECK_FALSE(trainer.merge(entry));
  entry.changed += 2;
  CHECK(trainer.merge(entry));
  CHECK_FALSE(trainer.merge(entry));
}

}  // namespace
}  // namespace mxfeed::spam
