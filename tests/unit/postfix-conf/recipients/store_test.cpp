// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/store.h"

#include <fstream>

#include "common/base/fault.h"
#include "common/store/sqlite.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::recipients {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using Standing = Address::Standing;

constexpr Time kNow{hours(24 * 365 * 50)};

Recipient recipient(const std::string& text) {
  return Recipient::parse(text).value();
}

Knowledge some() {
  Knowledge known;
  known.address = Address{Standing::refused, kNow, Address::Source::delivery};
  known.server = {kNow + seconds(1), true,
                  kNow + seconds(2), kNow + seconds(3),
                  kNow + seconds(4), kNow + seconds(5),
                  kNow + seconds(6)};
  return known;
}

void write(Store& store, const std::string& to, const Knowledge& known) {
  store.update(recipient(to), [&](const Knowledge&) { return known; });
}

void accept(Store& store, const std::string& to, Time at) {
  store.update(recipient(to), [&](Knowledge known) {
    known.address = Address{Standing::accepted, at, Address::Source::call_out};
    return known;
  });
}

TEST_CASE("a store gives back what was written", "[recipients_store]") {
  const TempDirectory directory;
  const auto file = directory.path() / "recipients.db";
  {
    const auto store = open_sqlite_store(file);
    CHECK(store->find(recipient("info@acme.example")) == Knowledge{});
    write(*store, "Info@acme.example", some());
    CHECK(store->find(recipient("info@ACME.example")) == some());
    CHECK_FALSE(store->find(recipient("other@acme.example")).address.has_value());
    CHECK(store->find(recipient("other@acme.example")).server == some().server);
    CHECK(store->find(recipient("info@other.example")) == Knowledge{});
  }
  CHECK(open_sqlite_store(file)->find(recipient("info@acme.example")) == some());
}

TEST_CASE("an update sees what the one before has written", "[recipients_store]") {
  const TempDirectory directory;
  const auto store = open_sqlite_store(directory.path() / "recipients.db");
  write(*store, "info@acme.example", some());
  const auto after = store->update(recipient("info@acme.example"), [](Knowledge known) {
    CHECK(known == some());
    known.server.takes_random = false;
    return known;
  });
  CHECK_FALSE(after.server.takes_random);
  CHECK(store->find(recipient("info@acme.example")) == after);
}

TEST_CASE("the neighbour is the address of the domain that was accepted last",
          "[recipients_store]") {
  const TempDirectory directory;
  const auto store = open_sqlite_store(directory.path() / "recipients.db");
  const auto neighbour = [&](const char* of) {
    return store->accepted_neighbour(recipient(of)).value_or("");
  };
  CHECK(neighbour("new@acme.example").empty());
  accept(*store, "old@acme.example", kNow - hours(1));
  accept(*store, "info@acme.example", kNow);
  accept(*store, "info@other.example", kNow + hours(1));
  write(*store, "gone@acme.example", some());
  CHECK(neighbour("new@acme.example") == "info@acme.example");
  CHECK(neighbour("INFO@acme.example") == "old@acme.example");
}

TEST_CASE("a sweep removes what has expired", "[recipients_store]") {
  const TempDirectory directory;
  const auto store = open_sqlite_store(directory.path() / "recipients.db");
  accept(*store, "old@acme.example", kNow - kAcceptedFor - seconds(1));
  accept(*store, "info@acme.example", kNow - kAcceptedFor);
  CHECK(store->sweep(kNow) == 1);
  CHECK_FALSE(store->find(recipient("old@acme.example")).address.has_value());
  CHECK(store->find(recipient("info@acme.example")).address.has_value());
  CHECK(store->sweep(kNow) == 0);
}

TEST_CASE("a store that is too large loses what expires first", "[recipients_store]") {
  const TempDirectory directory;
  const auto store = open_sqlite_store(directory.path() / "recipients.db", 300'000);
  for (int i = 0; i < 3000; ++i) {
    Knowledge known;
    known.address = Address{Standing::refused, kNow, Address::Source::call_out};
    write(*store, "unknown" + std::to_string(i) + "@acme.example", known);
  }
  accept(*store, "info@acme.example", kNow);
  std::size_t removed = 0;
  for (int i = 0; i < 10; ++i) removed += store->sweep(kNow);
  CHECK(removed >= 1000);
  CHECK(removed < 3000);
  CHECK(store->find(recipient("info@acme.example")).address.has_value());
}

TEST_CASE("a damaged store is set aside", "[recipients_store]") {
  const TempDirectory directory;
  const auto file = directory.path() / "recipients.db";
  std::ofstream(file) << std::string(10'000, 'x');
  const auto store = open_sqlite_store(file);
  CHECK(std::filesystem::exists(directory.path() / "recipients.db.damaged"));
  write(*store, "info@acme.example", some());
  CHECK(store->find(recipient("info@acme.example")) == some());
}

TEST_CASE("a store of a later version is not used", "[recipients_store]") {
  const TempDirectory directory;
  const auto file = directory.path() / "recipients.db";
  open_sqlite_store(file);
  {
    Sqlite later(file, Sqlite::Access::read_write, seconds(1));
    later.execute("PRAGMA user_version = 2");
  }
  CHECK_THROWS_AS(open_sqlite_store(file), Fault);
}

}  // namespace
}  // namespace mxfeed::recipients
