// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/mailbox_reader.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "common/command/exit_code.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::spam {
namespace {

using Mails = std::vector<std::string>;

const std::string kFrom = "From a@b.example Thu Aug 22 12:36:23 2002\n";

Mails divided(const std::string& text, std::size_t step, std::size_t most = 1000) {
  Mails mails;
  const SeeMail see = [&](std::string_view mail) { mails.emplace_back(mail); };
  MboxSplitter splitter(most);
  for (std::size_t at = 0; at < text.size(); at += step) {
    splitter.feed(std::string_view(text).substr(at, step), see);
  }
  splitter.finish(see);
  return mails;
}

TEST_CASE("a mailbox is divided wherever it is cut", "[spam]") {
  struct {
    const char* name;
    std::string text;
    Mails mails;
  } const rows[] = {
      {"nothing", "", {}},
      {"one", kFrom + "A: 1\n\nx\n", {"A: 1\n\nx\n"}},
      {"two", kFrom + "A: 1\n\nx\n\n" + kFrom + "B: 2\n", {"A: 1\n\nx\n\n", "B: 2\n"}},
      {"CR LF",
       kFrom + "A: 1\r\n\r\n" + kFrom + "B: 2\r\n",
       {"A: 1\r\n\r\n", "B: 2\r\n"}},
      {"From in a text", kFrom + "A: 1\n\nFrom here on.\n", {"A: 1\n\nFrom here on.\n"}},
      {"no empty line before", kFrom + "A: 1\n\nx\n" + kFrom, {"A: 1\n\nx\n" + kFrom}},
      {"quoted",
       kFrom + "A: 1\n\n>From x\n>>From y\n>z\n",
       {"A: 1\n\nFrom x\n>From y\n>z\n"}},
      {"no end", kFrom + "A: 1\n\nx", {"A: 1\n\nx"}},
      {"empty mails", kFrom + "\n" + kFrom, {"\n", ""}},
  };
  for (const auto& row : rows) {
    for (const std::size_t step : {1, 2, 7, 1000}) {
      CAPTURE(row.name, step);
      CHECK(divided(row.text, step) == row.mails);
    }
  }
}

TEST_CASE("of a long mail the first part is kept", "[spam]") {
  const auto mails =
      divided(kFrom + std::string(5000, 'x') + "\n\n" + kFrom + "B: 2\n", 100, 1000);
  REQUIRE(mails.size() == 2);
  CHECK(mails[0] == std::string(1000, 'x'));
  CHECK(mails[1] == "B: 2\n");
}

TEST_CASE("only a From line with a time begins a mailbox", "[spam]") {
  CHECK(is_mbox(kFrom));
  CHECK(is_mbox("From - Thu Aug 22 12:36:23 2002"));
  CHECK_FALSE(is_mbox("From: a@b.example\nDate: Thu Aug 22 12:36:23 2002\n"));
  CHECK_FALSE(is_mbox("From here to there\nx 12:36:23\n"));
  CHECK_FALSE(is_mbox("A: 1\n\n" + kFrom));
  CHECK_FALSE(is_mbox(""));
}

TEST_CASE("an operand is a mail, a mailbox, a Maildir or a directory", "[spam]") {
  namespace fs = std::filesystem;
  const TempDirectory directory;
  const auto mails_in = [&](const char* name) {
    Mails mails;
    const std::size_t count =
        each_mail(directory.path() / name,
                  [&](std::string_view mail) { mails.emplace_back(mail); });
    CHECK(count == mails.size());
    return mails;
  };
  for (const char* name : {"maildir/cur", "maildir/new", "maildir/tmp", "plain/sub"}) {
    fs::create_directories(directory.path() / name);
  }
  write_file(directory.path() / "mail", "A: 1\n\nx\n");
  write_file(directory.path() / "mbox", kFrom + "A: 1\n\n" + kFrom + "B: 2\n");
  write_file(directory.path() / "empty", "");
  write_file(directory.path() / "maildir/cur/1:2,S", "A: 1\n");
  write_file(directory.path() / "maildir/new/2", "B: 2\n");
  write_file(directory.path() / "maildir/tmp/3", "C: 3\n");
  write_file(directory.path() / "maildir/dovecot.index", "no mail");
  write_file(directory.path() / "plain/1",
             kFrom + "A: 1\n\n" + kFrom + "no other mail\n");
  CHECK(mails_in("mail") == Mails{"A: 1\n\nx\n"});
  CHECK(mails_in("mbox") == Mails{"A: 1\n\n", "B: 2\n"});
  CHECK(mails_in("empty").empty());
  CHECK(mails_in("maildir") == Mails{"A: 1\n", "B: 2\n"});
  CHECK(mails_in("plain").size() == 1);
  CHECK_THROWS_AS(mails_in("none"), CommandError);
}

}  // namespace
}  // namespace mxfeed::spam
