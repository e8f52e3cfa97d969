// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/import/sqlgrey.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "common/base/fault.h"
#include "common/store/sqlite.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/greylist/import/entry_text.h"

namespace mxfeed::greylist {
namespace {

TEST_CASE("a line of sqlgrey is one record", "[greylist]") {
  struct Row {
    const char* name;
    std::string line;
    const char* want;
  };
  for (const Row& row :
       {Row{"a first try", "connect\ta\ts.example\t198.51.100.7\ti@acme.example\t100",
            "waiting 198.51.100.7 <a@s.example> <i@acme.example> 100 100 0"},
        Row{"a network", "connect\ta\ts.example\t198.51.100\ti@acme.example\t100",
            "waiting 198.51.100.0 <a@s.example> <i@acme.example> 100 100 0"},
        Row{"a network of IPv6",
            "connect\ta\ts.example\t2001:0db8:0000:0001\ti@acme.example\t100",
            "waiting 2001:db8:0:1:: <a@s.example> <i@acme.example> 100 100 0"},
        Row{"the null sender",
            "connect\t-undef-\t-undef-\t198.51.100\ti@acme.example\t100",
            "waiting 198.51.100.0 <> <i@acme.example> 100 100 0"},
        Row{"a date",
            "connect\ta\ts.example\t198.51.100\ti@acme.example\t"
            "1970-01-01 00:01:40.25",
            "waiting 198.51.100.0 <a@s.example> <i@acme.example> 100 100 0"},
        Row{"passed once", "from_awl\ta\ts.example\t198.51.100\t100\t86500",
            "domain 198.51.100.0 <a@s.example> <> 100 86500 1"},
        Row{"passed again", "from_awl\ta\ts.example\t198.51.100\t100\t86501",
            "domain 198.51.100.0 <a@s.example> <> 100 86501 2"},
        Row{"a whole domain", "domain_awl\ts.example\t198.51.100\t100\t200\r",
            "domain 198.51.100.0 <*@s.example> <> 100 200 2"},
        Row{"the null sender to anybody", "from_awl\t-undef-\t-undef-\t198.51.100\t1\t2",
            "no_recipient"},
        Row{"the same of a domain", "domain_awl\t-undef-\t198.51.100\t1\t2",
            "no_recipient"},
        Row{"an unknown table", "config\ta\tb", "malformed"},
        Row{"too few", "connect\ta\ts.example\t198.51.100\ti@acme.example", "malformed"},
        Row{"too many", "domain_awl\ts.example\t198.51.100\t1\t2\t3", "malformed"},
        Row{"no client", "domain_awl\ts.example\tx\t1\t2", "malformed"},
        Row{"no recipient", "connect\ta\ts.example\t198.51.100\tx\t1", "malformed"},
        Row{"no time", "domain_awl\ts.example\t198.51.100\t1\tyesterday", "malformed"},
        Row{"no domain", "domain_awl\t\t198.51.100\t1\t2", "malformed"},
        Row{"nothing", "", "malformed"}}) {
    INFO(row.name);
    CHECK(text_of(parse_sqlgrey(row.line)) == row.want);
  }
}

TEST_CASE("the database of sqlgrey is read and not changed", "[greylist]") {
  const TempDirectory directory;
  const auto file = directory.path() / "sqlgrey.db";
  {
    Sqlite database(file, Sqlite::Access::read_write, std::chrono::seconds(1));
    // Its tables, and a journal as it uses it.
    database.execute(
        "PRAGMA journal_mode = DELETE;"
        "CREATE TABLE connect (sender_name varchar(64) NOT NULL, sender_domain "
        "varchar(255) NOT NULL, src varchar(39) NOT NULL, rcpt varchar(255) NOT NULL, "
        "first_seen timestamp NOT NULL);"
        "CREATE TABLE from_awl (sender_name varchar(64) NOT NULL, sender_domain "
        "varchar(255) NOT NULL, src varchar(39) NOT NULL, first_seen timestamp NOT NULL, "
        "last_seen timestamp NOT NULL, PRIMARY KEY (src, sender_domain, sender_name));"
        "CREATE TABLE domain_awl (sender_domain varchar(255) NOT NULL, src varchar(39) "
        "NOT NULL, first_seen timestamp NOT NULL, last_seen timestamp NOT NULL, PRIMARY "
        "KEY (src, sender_domain));"
        "INSERT INTO connect VALUES ('a', 's.example', '198.51.100', 'i@acme.example', "
        "1795678297);"
        "INSERT INTO from_awl VALUES ('b', 's.example', '198.51.100', 1, 2);"
        "INSERT INTO domain_awl VALUES ('t.example', 'rubbish', 1, 2);");
  }
  const auto written = std::filesystem::last_write_time(file);
  std::vector<std::string> seen;
  read_sqlgrey(file, [&](std::string_view table, const ForeignEntry& entry) {
    seen.push_back(fmt::format("{}: {}", table, text_of(entry)));
  });
  CHECK(seen == std::vector<std::string>{
                    "connect: waiting 198.51.100.0 <a@s.example> <i@acme.example> "
                    "1795678297 1795678297 0",
                    "from_awl: domain 198.51.100.0 <b@s.example> <> 1 2 1",
                    "domain_awl: malformed"});
  CHECK(std::filesystem::last_write_time(file) == written);
  CHECK_THROWS_AS(read_sqlgrey(directory.path() / "none.db", [](auto, const auto&) {}),
                  Fault);
  CHECK_FALSE(std::filesystem::exists(directory.path() / "none.db"));
}

}  // namespace
}  // namespace mxfeed::greylist
