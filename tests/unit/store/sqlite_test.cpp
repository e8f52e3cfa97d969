// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/store/sqlite.h"

#include <sys/stat.h>

#include <fstream>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

using std::chrono::milliseconds;

constexpr auto kBusy = milliseconds(20);

TEST_CASE("what is committed is read by another connection", "[store]") {
  const TempDirectory directory;
  const auto file = directory.path() / "a.db";
  Sqlite writer(file, Sqlite::Access::read_write, kBusy);
  writer.execute("CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER)");
  {
    SqliteStatement insert(writer, "INSERT INTO t VALUES (?, ?)");
    SqliteTransaction transaction(writer);
    CHECK_FALSE(insert.bind(1, std::string_view("a\0b", 3)).bind(2, 7).step());
    CHECK_FALSE(insert.bind(1, "c").bind(2, -1).step());
    transaction.commit();
  }
  {
    SqliteTransaction undone(writer);
    writer.execute("DELETE FROM t");
    CHECK(writer.changes() == 2);
  }
  Sqlite reader(file, Sqlite::Access::read_only, kBusy);
  SqliteStatement query(reader, "SELECT k, n FROM t ORDER BY n DESC");
  REQUIRE(query.step());
  CHECK(query.text(0) == std::string("a\0b", 3));
  CHECK(query.number(1) == 7);
  REQUIRE(query.step());
  CHECK_FALSE(query.step());
  writer.checkpoint();
  CHECK_THROWS_AS(reader.execute("DELETE FROM t"), Fault);
}

TEST_CASE("reading alone makes no file", "[store]") {
  const TempDirectory directory;
  const auto file = directory.path() / "none.db";
  CHECK_THROWS_AS(Sqlite(file, Sqlite::Access::read_only, kBusy), Fault);
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("a private file and its log are its owner's, whatever the umask", "[store]") {
  using std::filesystem::perms;
  constexpr auto kOwner = perms::owner_read | perms::owner_write;
  const TempDirectory directory;
  for (const ::mode_t umask : {0, 022, 0777}) {
    for (const bool exists : {false, true}) {
      INFO(umask << (exists ? " with a file" : ""));
      const auto file = directory.path() / (std::to_string(umask) + (exists ? "e" : "n"));
      const ::mode_t before = ::umask(exists ? 0 : umask);
      if (exists)
        Sqlite(file, Sqlite::Access::read_write, kBusy).execute("CREATE TABLE a (n)");
      ::umask(umask);
      make_private(file);
      Sqlite database(file, Sqlite::Access::read_write, kBusy);
      database.execute("CREATE TABLE t (n INTEGER)");
      ::umask(before);
      for (const char* part : {"", "-wal", "-shm"}) {
        INFO(part);
        CHECK(std::filesystem::status(file.string() + part).permissions() == kOwner);
      }
    }
  }
}

TEST_CASE("a second writer gives up after the busy timeout", "[store]") {
  const TempDirectory directory;
  const auto file = directory.path() / "a.db";
  Sqlite first(file, Sqlite::Access::read_write, kBusy);
  Sqlite second(file, Sqlite::Access::read_write, kBusy);
  const SqliteTransaction held(first);
  CHECK_THROWS_AS(SqliteTransaction(second), Fault);
}

TEST_CASE("a file that is no database is told from other trouble", "[store]") {
  const TempDirectory directory;
  const auto file = directory.path() / "a.db";
  std::ofstream(file) << std::string(8192, 'x');
  CHECK_THROWS_AS(Sqlite(file, Sqlite::Access::read_write, kBusy), DamagedDatabase);
  CHECK_THROWS_WITH(
      Sqlite(directory.path() / "no" / "a.db", Sqlite::Access::read_write, kBusy),
      Catch::Matchers::StartsWith("open database: "));
}

TEST_CASE("a store is made once, and another version is left alone", "[store]") {
  const TempDirectory directory;
  const auto file = directory.path() / "a.db";
  const SqliteSchema first{"test store", 1, "CREATE TABLE one (x INTEGER)"};
  const SqliteSchema second{"test store", 2, "CREATE TABLE two (x INTEGER)"};
  const auto open = [&](const SqliteSchema& schema) {
    return open_store(schema, file, Sqlite::Access::read_write, kBusy);
  };
  open(first)->execute("INSERT INTO one VALUES (7)");
  CHECK(open(first)->query_number("SELECT x FROM one") == 7);
  CHECK_THROWS_WITH(open(second), Catch::Matchers::ContainsSubstring(
                                      "written by another version of mxfeed"));
  CHECK(open(first)->query_number("SELECT x FROM one") == 7);
}

}  // namespace
}  // namespace mxfeed
