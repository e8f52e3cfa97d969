// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/dns_cache.h"

#include <string>

#include "tests/support/catch.h"

namespace mxfeed::dns {
namespace {

using namespace std::chrono_literals;

const Cache::Instant kNow{1000h};

Question question(const std::string& name) {
  return Question::parse(name, RecordType::txt).value();
}

Answer text(std::chrono::seconds ttl, std::size_t size = 4) {
  return Answer::found({Text{std::string(size, 'x')}}, ttl);
}

struct LifetimeCase {
  const char* name;
  Answer answer;
  std::chrono::seconds want;
};

const LifetimeCase kLifetimes[] = {
    {"found", text(60s), 60s},
    {"found, below the floor", text(0s), 5s},
    {"found, above the ceiling", text(86400s), 3600s},
    {"absent", Answer::absent(true, 60s), 60s},
    {"absent, without a time", Answer::absent(false, 0s), 5s},
    {"absent, above the ceiling", Answer::absent(false, 86400s), 300s},
    {"temporary", Answer::temporary(Trouble::timed_out), 3s},
};

TEST_CASE("an answer is kept for its time within limits", "[net]") {
  for (const auto& c : kLifetimes) {
    DYNAMIC_SECTION(c.name) {
      Cache cache({});
      cache.store(question("a.example"), c.answer, kNow);
      CHECK(cache.find(question("a.example"), kNow + c.want - 1ms) == c.answer);
      CHECK_FALSE(cache.find(question("a.example"), kNow + c.want));
      CHECK(cache.entries() == 0);
      CHECK(cache.bytes() == 0);
    }
  }
}

TEST_CASE("the answer that was not asked for the longest goes first", "[net]") {
  CacheLimits limits;
  limits.entries = 2;
  Cache cache(limits);
  cache.store(question("a.example"), text(60s), kNow);
  cache.store(question("b.example"), text(60s), kNow);
  CHECK(cache.find(question("a.example"), kNow));
  cache.store(question("c.example"), text(60s), kNow);
  CHECK(cache.entries() == 2);
  CHECK(cache.find(question("a.example"), kNow));
  CHECK_FALSE(cache.find(question("b.example"), kNow));
  CHECK(cache.find(question("c.example"), kNow));
}

TEST_CASE("the cache is bounded in bytes", "[net]") {
  CacheLimits limits;
  limits.bytes = 100'000;
  Cache cache(limits);
  for (int i = 0; i < 1000; ++i) {
    cache.store(question("n" + std::to_string(i) + ".example"), text(60s, 1000), kNow);
    REQUIRE(cache.bytes() <= limits.bytes);
  }
  CHECK(cache.entries() > 50);
  CHECK(cache.entries() < 100);
  SECTION("an answer larger than all of it is not kept, and takes no other's place") {
    const auto before = cache.entries();
    cache.store(question("large.example"), text(60s, 200'000), kNow);
    CHECK_FALSE(cache.find(question("large.example"), kNow));
    CHECK(cache.entries() == before);
  }
}

TEST_CASE("a later answer replaces an earlier one", "[net]") {
  Cache cache({});
  cache.store(question("a.example"), text(60s), kNow);
  cache.store(question("a.example"), Answer::absent(true, 60s), kNow);
  CHECK(cache.entries() == 1);
  CHECK(cache.find(question("a.example"), kNow)->is_absent());
  CHECK_FALSE(
      cache.find(Question::parse("a.example", RecordType::a).value(), kNow).has_value());
}

}  // namespace
}  // namespace mxfeed::dns
