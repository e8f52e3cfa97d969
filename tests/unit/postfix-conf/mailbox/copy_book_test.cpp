// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/mailbox/copy_book.h"

#include <chrono>

#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

using std::chrono::hours;
const Time kNow{std::chrono::seconds(1'700'000'000)};

TEST_CASE("a copy is known by its message and recipient, also later", "[mailbox]") {
  const TempDirectory directory;
  const auto file = directory.path() / "copies.db";
  CopyBook(file).note("4A", {"a@x.example", "b@x.example"});
  CopyBook book(file);
  CHECK(book.has("4A", "a@x.example"));
  CHECK(book.has("4A", "b@x.example"));
  CHECK_FALSE(book.has("4A", "c@x.example"));
  CHECK_FALSE(book.has("4B", "a@x.example"));
}

TEST_CASE("a message is forgotten when it was missing for a day", "[mailbox]") {
  const TempDirectory directory;
  CopyBook book(directory.path() / "copies.db");
  book.note("gone", {"a@x.example"});
  book.note("back", {"a@x.example"});
  book.note("there", {"a@x.example"});
  book.forget_gone({"there"}, kNow);
  // A listing may miss one that moves.
  book.forget_gone({"there", "back"}, kNow + hours(1));
  book.forget_gone({"there"}, kNow + hours(25));
  CHECK_FALSE(book.has("gone", "a@x.example"));
  CHECK(book.has("back", "a@x.example"));
  CHECK(book.has("there", "a@x.example"));
}

TEST_CASE("the end of standby mailboxes is told once", "[mailbox]") {
  const TempDirectory directory;
  CopyBook book(directory.path() / "copies.db");
  CHECK(book.set_domains({"a.example", "b.example"}, kNow).empty());
  CHECK(book.set_domains({"b.example"}, kNow + hours(1)) ==
        std::vector<std::string>{"a.example"});
  CHECK(book.set_domains({"b.example"}, kNow + hours(2)).empty());
  CHECK(book.ended() == std::map<std::string, Time>{{"a.example", kNow + hours(1)}});
  SECTION("and not if they begin again") {
    book.set_domains({"a.example", "b.example"}, kNow + hours(3));
    CHECK(book.ended().empty());
  }
  SECTION("or the mailboxes are gone") {
    book.forget_domain("a.example");
    CHECK(book.ended().empty());
  }
}

}  // namespace
}  // namespace mxfeed
