// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/journal.h"

#include <algorithm>

#include "common/base/fault.h"
#include "milters/spam/model/samples.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/spam/model/lessons.h"

namespace mxfeed::spam {
namespace {

Entry made_entry(std::uint32_t number) {
  const Sample sample = made_sample(number, label_of(number));
  Entry entry;
  entry.id = sample.id;
  entry.standing = label_of(number) == Label::spam ? Standing::spam : Standing::ham;
  entry.domain = "a.example";
  entry.changed = 1'000'000 + number;
  entry.learned = Time(std::chrono::seconds(1 + number));
  entry.was_judged = true;
  entry.arrival = -1.5;
  entry.evidence = {"html-only", "url-only"};
  entry.features = sample.content.features;
  return entry;
}

std::vector<Entry> made_entries(std::uint32_t count) {
  std::vector<Entry> entries;
  for (std::uint32_t i = 0; i < count; ++i) entries.push_back(made_entry(i));
  return entries;
}

std::string bytes_of(const std::vector<Entry>& entries) {
  std::string bytes = journal_start();
  for (const Entry& entry : entries) bytes += journal_record(entry);
  return bytes;
}

TEST_CASE("entries are read as they were written", "[spam]") {
  std::vector<Entry> entries = made_entries(5);
  entries[1].teacher = Teacher::user;
  entries[2] = Entry{};
  entries[3].features = {0, 1, kBuckets - 1};
  const JournalContent content = parse_journal(bytes_of(entries));
  CHECK(content.entries == entries);
  CHECK(content.damaged == 0);
  CHECK_FALSE(content.cut);
}

TEST_CASE("fields of later versions are kept", "[spam]") {
  std::string bytes = made_entry(1).bytes();
  bytes.pop_back();
  bytes += std::string("\x63\x02hi\0", 5);  // tag 99
  const auto entry = Entry::from_bytes(bytes);
  REQUIRE(entry);
  CHECK(entry->bytes() == bytes);
}

TEST_CASE("a journal that ends anywhere gives the entries before that", "[spam]") {
  const std::vector<Entry> entries = made_entries(3);
  const std::string bytes = bytes_of(entries);
  std::vector<std::size_t> ends = {journal_start().size()};
  for (const Entry& entry : entries) {
    ends.push_back(ends.back() + journal_record(entry).size());
  }
  for (std::size_t length = ends[0]; length <= bytes.size(); ++length) {
    CAPTURE(length);
    const JournalContent content = parse_journal(bytes.substr(0, length));
    const auto whole = static_cast<std::size_t>(
        std::upper_bound(ends.begin(), ends.end(), length) - ends.begin() - 1);
    CHECK(content.entries.size() == whole);
    CHECK(content.sound == ends.at(whole));
    CHECK(content.cut == (length != ends.at(whole)));
    CHECK(content.damaged == 0);
  }
}

TEST_CASE("a damaged byte costs one entry, and is told", "[spam]") {
  const std::vector<Entry> entries = made_entries(3);
  const std::string bytes = bytes_of(entries);
  const std::size_t begin = journal_start().size() + journal_record(entries[0]).size();
  const std::size_t end = begin + journal_record(entries[1]).size();
  for (std::size_t at = begin; at < end; ++at) {
    CAPTURE(at);
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    const JournalContent content = parse_journal(damaged);
    CHECK(content.entries == std::vector{entries[0], entries[2]});
    CHECK(content.damaged == 1);
    CHECK_FALSE(content.cut);
  }
}

TEST_CASE("features that are out of order or range are damage", "[spam]") {
  for (const Features& bad :
       {Features{5, 5}, Features{5, 4}, Features{kBuckets}, Features{1, kBuckets + 5}}) {
    Entry entry = made_entry(1);
    entry.features = bad;
    CHECK_FALSE(Entry::from_bytes(entry.bytes()));
  }
}

TEST_CASE("what is appended is read, after a crash too", "[spam]") {
  const TempDirectory directory;
  const auto file = directory.path() / "journal";
  const std::vector<Entry> entries = made_entries(4);
  { Journal(file).append({entries[0], entries[1]}); }
  const std::string whole = *read_file(file);
  write_file(file, whole.substr(0, whole.size() - 3));
  {
    Journal journal(file);
    const JournalContent content = journal.read();
    CHECK(content.cut);
    CHECK(content.entries == std::vector{entries[0]});
    journal.append({entries[2]});
  }
  Journal journal(file);
  CHECK(journal.read().entries == std::vector{entries[0], entries[2]});
  journal.rewrite({&entries[3]});
  journal.append({entries[1]});
  const JournalContent content = journal.read();
  CHECK(content.entries == std::vector{entries[3], entries[1]});
  CHECK_FALSE(content.cut);
}

TEST_CASE("a journal has one owner, and no other file is taken for one", "[spam]") {
  const TempDirectory directory;
  const auto file = directory.path() / "journal";
  const Journal owner(file);
  CHECK_THROWS_AS(Journal(file), Fault);
  const auto other = directory.path() / "other";
  write_file(other, "not a journal, but something that somebody needs");
  CHECK_THROWS_AS(Journal(other).read(), Fault);
  CHECK(read_file(other)->size() > 20);
}

TEST_CASE("the latest entry of an id counts, in whatever order they come", "[spam]") {
  std::vector<Entry> entries;
  for (std::uint32_t i = 0; i < 30; ++i) {
    Entry entry = made_entry(i % 10);
    entry.changed = 100 + (i * 7) % 30;
    entry.standing = i % 2 == 0 ? Standing::spam : Standing::ham;
    entries.push_back(entry);
  }
  // Two that were said in the same microsecond.
  entries.push_back(entries[3]);
  entries.back().domain = "b.example";
  const auto samples_of = [&] {
    Samples samples;
    for (const Entry& entry : entries) samples.add(entry);
    return samples.all();
  };
  const auto first = samples_of();
  CHECK(first.size() == 10);
  std::minstd_rand random(3);
  for (int i = 0; i < 20; ++i) {
    std::shuffle(entries.begin(), entries.end(), random);
    CHECK(samples_of() == first);
  }
}

TEST_CASE("of each class of each domain the newest are kept", "[spam]") {
  Samples samples;
  for (std::uint32_t i = 0; i < 90; ++i) {
    Entry entry = made_entry(i);
    entry.domain = i < 60 ? "a.example" : "b.example";
    samples.add(entry);
  }
  samples.bound(15);
  // Of a: 20 spam, 40 ham; of b: 10 spam, 20 ham.
  CHECK(samples.all().size() == 15 + 15 + 10 + 15);
  CHECK(samples.find(made_entry(59).id) != nullptr);
  CHECK(samples.find(made_entry(0).id) == nullptr);
  CHECK(samples.find(made_entry(60).id) != nullptr);
}

TEST_CASE("what is forgotten or of another version is not learned", "[spam]") {
  Samples samples;
  Entry forgotten = made_entry(1);
  forgotten.standing = Standing::forgotten;
  Entry other = made_entry(2);
  other.version = kFeatureVersion + 1;
  for (const Entry& entry : {forgotten, other, made_entry(3)}) samples.add(entry);
  REQUIRE(samples.lessons().size() == 1);
  CHECK(samples.lessons()[0].id == made_entry(3).id);
}

}  // namespace
}  // namespace mxfeed::spam
