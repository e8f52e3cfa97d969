// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/learn_held.h"

#include <map>
#include <stdexcept>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "milters/spam/commands/open_trainer.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::spam {
namespace {

const std::string kMail =
    "From: a@b.example\r\nMessage-ID: <1@b.example>\r\n\r\nBuy.\r\n";

std::string attached(const std::string& mail) {
  return "Content-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\n"
         "Content-Type: message/rfc822\r\n\r\n" +
         mail + "\r\n--out--\r\n";
}

struct Shelf {
  std::vector<HeldLesson> lessons;
  std::vector<std::int64_t> removed;
  bool is_broken = false;
};

class FakeLessons : public HeldLessons {
 public:
  explicit FakeLessons(Shelf& shelf) : shelf_(shelf) {}
  void each(std::size_t, const std::function<bool(const HeldLesson&)>& see) override {
    for (const auto& one : shelf_.lessons) see(one);
  }
  void remove(const std::vector<std::int64_t>& ids) override {
    if (shelf_.is_broken) throw Fault("remove", "lessons", "broken");
    shelf_.removed = ids;
  }

 private:
  Shelf& shelf_;
};

// A classifier that some messages are too much for.
class Fragile : public EvidenceSource {
 public:
  void judge(const Message& message, Findings&) const override {
    if (message.find("X-Fault") != nullptr) throw Fault("judge", "message", "broken");
    if (message.find("X-Error") != nullptr) throw std::out_of_range("no such part");
  }
};

Sources fragile_sources() {
  Sources all;
  all.push_back(std::make_unique<Fragile>());
  return all;
}

struct Rig {
  Rig() { std::filesystem::create_directory(directory.path() / "spam"); }

  ExitCode learn() {
    return learn_held(
        Arguments({{"--state", directory.path().string()}, {"--json", ""}}, {}),
        [this](const std::filesystem::path&) {
          return std::make_unique<FakeLessons>(shelf);
        },
        fragile_sources());
  }
  void hold(HeldKind kind, const std::string& content) {
    const auto id = static_cast<std::int64_t>(shelf.lessons.size() + 1);
    shelf.lessons.push_back({id,
                             {kind, random_token(), "acme.example", "", "x@acme.example"},
                             "a@acme.example",
                             content,
                             ""});
  }
  Counts counts() { return wait_for_trainer(directory.path()).publish(Time()).counts; }

  TempDirectory directory;
  Shelf shelf;
};

TEST_CASE("a trap teaches by itself, a report by what is attached", "[spam]") {
  struct {
    const char* name;
    HeldKind kind;
    std::string content;
    std::uint64_t ham, spam;
  } const rows[] = {
      {"trap", HeldKind::trap, kMail, 0, 1},
      {"trap with an attached message", HeldKind::trap, attached(kMail), 0, 1},
      {"report of spam", HeldKind::report_spam, attached(kMail), 0, 1},
      {"report of ham", HeldKind::report_ham, attached(kMail), 1, 0},
      {"report of nothing", HeldKind::report_spam, kMail, 0, 0},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Rig rig;
      rig.hold(row.kind, row.content);
      CHECK(rig.learn() == ExitCode::fine);
      CHECK(rig.counts().ham == row.ham);
      CHECK(rig.counts().spam == row.spam);
      CHECK(rig.shelf.removed == std::vector<std::int64_t>{1});
    }
  }
}

TEST_CASE("who taught is in the journal", "[spam]") {
  Rig rig;
  rig.hold(HeldKind::trap, "Message-ID: <2@b.example>\r\n\r\ntrapped\r\n");
  rig.hold(HeldKind::report_ham, attached(kMail));
  rig.learn();
  std::map<Standing, Teacher> teachers;
  for (const Entry& entry :
       parse_journal(
           *read_regular_file(model_directory(rig.directory.path()) / "journal"))
           .entries) {
    teachers[entry.standing] = entry.teacher;
    CHECK(entry.domain == "acme.example");
  }
  CHECK(teachers == std::map<Standing, Teacher>{{Standing::spam, Teacher::trap},
                                                {Standing::ham, Teacher::user}});
}

TEST_CASE("what could not be removed is learned again, which changes nothing", "[spam]") {
  Rig rig;
  rig.hold(HeldKind::trap, kMail);
  rig.shelf.is_broken = true;
  CHECK_THROWS_AS(rig.learn(), Fault);
  CHECK(rig.counts().spam == 1);
  rig.shelf.is_broken = false;
  rig.learn();
  CHECK(rig.counts().spam == 1);
  CHECK(rig.shelf.removed.size() == 1);
}

TEST_CASE("a message that cannot be learned stays, and the others are learned",
          "[spam]") {
  const std::string fault = "X-Fault: 1\r\n" + kMail;
  const std::string error = "X-Error: 1\r\n" + kMail;
  struct {
    const char* name;
    HeldKind kind;
    std::string content;
    std::string fault;  // of reading it
  } const rows[] = {
      {"a trap that a source throws a fault for", HeldKind::trap, fault, ""},
      {"a trap that a parser throws for", HeldKind::trap, error, ""},
      {"a report", HeldKind::report_spam, attached(fault), ""},
      {"a report with a second message", HeldKind::report_ham,
       attached("Message-ID: <3@b.example>\r\n\r\nfine\r\n--out\r\n"
                "Content-Type: message/rfc822\r\n\r\n" +
                error),
       ""},
      {"a file that cannot be read", HeldKind::trap, "", "read: x: Input/output error"},
  };
  for (const auto& row : rows) {
    DYNAMIC_SECTION(row.name) {
      Rig rig;
      rig.hold(row.kind, row.content);
      rig.shelf.lessons.back().fault = row.fault;
      rig.hold(HeldKind::trap, kMail);
      // It is the same each time.
      for (int run = 0; run < 2; ++run) {
        CHECK(rig.learn() == ExitCode::wrong);
        CHECK(rig.counts().spam == 1);
        CHECK(rig.counts().ham == 0);
        CHECK(rig.shelf.removed == std::vector<std::int64_t>{2});
      }
    }
  }
}

TEST_CASE("without a store there is nothing to do", "[spam]") {
  const TempDirectory directory;
  CHECK(learn_held(
            Arguments({{"--state", directory.path().string()}}, {}),
            [](const std::filesystem::path&) { return std::unique_ptr<HeldLessons>(); },
            sources()) == ExitCode::fine);
}

}  // namespace
}  // namespace mxfeed::spam
