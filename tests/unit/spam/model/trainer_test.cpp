// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/trainer.h"

#include <algorithm>
#include <string>

#include "common/base/fault.h"
#include "milters/spam/model/numeric.h"
#include "milters/spam/model/progress.h"
#include "milters/spam/model/snapshot.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/spam/model/lessons.h"

namespace mxfeed::spam {
namespace {

using Change = Trainer::Change;

const Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27);

Change learn(Trainer& trainer, std::uint32_t number, Label label) {
  return trainer.learn(made_sample(number, label_of(number)), label,
                       Teacher::administrator, "a.example", kNow);
}

void learn_range(Trainer& trainer, std::uint32_t begin, std::uint32_t end) {
  for (std::uint32_t i = begin; i < end; ++i) learn(trainer, i, label_of(i));
}

std::string published(const std::filesystem::path& directory) {
  return read_file(directory / "model").value_or("");
}

TEST_CASE("wrong, then right is bit for bit what never wrong is", "[spam]") {
  const TempDirectory one;
  const TempDirectory other;
  {
    Trainer trainer(one.path());
    learn_range(trainer, 0, 60);
    trainer.publish(kNow);
  }
  {
    Trainer trainer(other.path());
    learn_range(trainer, 0, 30);
    CHECK(learn(trainer, 6, Label::ham) == Change::relabelled);
    trainer.publish(kNow);
    CHECK(published(one.path()) != published(other.path()));
    learn_range(trainer, 30, 60);
    learn(trainer, 1000, Label::spam);
    trainer.publish(kNow);
  }
  Trainer trainer(other.path());
  CHECK(learn(trainer, 6, Label::spam) == Change::relabelled);
  CHECK(learn(trainer, 6, Label::spam) == Change::unchanged);
  CHECK(trainer.forget(made_sample(1000, label_of(1000)).id, kNow));
  CHECK_FALSE(trainer.forget(made_sample(1000, label_of(1000)).id, kNow));
  trainer.publish(kNow);
  CHECK(published(one.path()) == published(other.path()));
}

TEST_CASE("gateways with the same entries in any order have the same model", "[spam]") {
  const TempDirectory one;
  const TempDirectory other;
  {
    Trainer trainer(one.path());
    learn_range(trainer, 0, 400);
    trainer.publish(kNow);
  }
  std::vector<Entry> entries = Journal(one.path() / "journal").read().entries;
  std::reverse(entries.begin(), entries.end());
  std::rotate(entries.begin(), entries.begin() + 50, entries.end());
  Journal(other.path() / "journal").append(entries);
  Trainer(other.path()).publish(kNow);
  CHECK(published(one.path()) == published(other.path()));
}

TEST_CASE("nothing is predicted below 100 of each class", "[spam]") {
  const TempDirectory directory;
  Trainer trainer(directory.path());
  // A third is spam: the hundredth has the number 297.
  learn_range(trainer, 0, 297);
  const Sample spam = made_sample(3000, Label::spam);
  CHECK_FALSE(trainer.probability(spam.content));
  learn_range(trainer, 297, 298);
  REQUIRE(trainer.probability(spam.content));
  CHECK(*trainer.probability(spam.content) > 0.9);
  CHECK(*trainer.probability(made_sample(3001, Label::ham).content) < 0.1);
  learn_range(trainer, 298, 400);
  for (const auto& [id, entry] : trainer.samples().all()) {
    const bool late =
        std::any_of(id.begin(), id.end(), [](std::uint8_t byte) { return byte != 0; }) &&
        entry.was_judged;
    if (late) CHECK((entry.arrival > 0) == (entry.standing == Standing::spam));
  }
  CHECK(std::count_if(trainer.samples().all().begin(), trainer.samples().all().end(),
                      [](const auto& one) { return one.second.was_judged; }) == 102);
}

TEST_CASE("a later label does not change what was predicted", "[spam]") {
  const TempDirectory directory;
  Trainer trainer(directory.path());
  learn_range(trainer, 0, 400);
  const SampleId id = made_sample(399, label_of(399)).id;
  const Entry before = *trainer.samples().find(id);
  CHECK(before.was_judged);
  learn(trainer, 399, Label::ham);
  const Entry& after = *trainer.samples().find(id);
  CHECK(after.standing != before.standing);
  CHECK(after.arrival == before.arrival);
  CHECK(after.learned == before.learned);
  CHECK(after.changed > before.changed);
}

TEST_CASE("a site whose labels are of another kind of mail never gets high", "[spam]") {
  const TempDirectory directory;
  Trainer trainer(directory.path());
  learn_range(trainer, 0, 900);
  CHECK(may_say_high(trainer.publish(kNow).reliability) ==
        (facts_of(trainer.samples(), kNow).reliability.rows()[3].spam >= 268));
  // Ham that looks like the spam learned up to now.
  for (std::uint32_t i = 5000; i < 5020; ++i) {
    trainer.learn(made_sample(i, Label::spam), Label::ham, Teacher::administrator, "",
                  kNow);
  }
  const ModelFacts facts = trainer.publish(kNow);
  CHECK_FALSE(may_say_high(facts.reliability));
  const Sample shifted = made_sample(6000, Label::spam);
  const auto said = opinion(facts, 20);
  REQUIRE(said);
  CHECK(said->logit <= kMostImmature);
  CHECK_FALSE(said->is_mature);
}

TEST_CASE("after 300 labels of other mail, ham that looks like spam is not high",
          "[spam]") {
  const TempDirectory directory;
  Trainer trainer(directory.path());
  for (std::uint32_t i = 0; i < 300; ++i) {
    const Label label = i % 2 == 0 ? Label::spam : Label::ham;
    trainer.learn(made_sample(i, label), label, Teacher::administrator, "", kNow);
  }
  const ModelFacts facts = trainer.publish(kNow);
  const auto content = opinion(facts, 20);
  REQUIRE(content);
  GroupValues sums = with_content(GroupValues{}, content->logit);
  for (const Group group : {Group::html, Group::subject}) {
    sums[group] = cap_of(group).most;
    CAPTURE(to_string(group));
    CHECK(sigmoid(facts.combiner(sums)) > kLevelsBegin[0]);
    CHECK(sigmoid(facts.combiner(sums)) < kLevelsBegin.back());
    sums[group] = 0;
  }
}

TEST_CASE("the combiner learns from what was found at arrival", "[spam]") {
  const TempDirectory directory;
  Trainer trainer(directory.path());
  for (std::uint32_t i = 0; i < 900; ++i) {
    // All ham here has HTML only, and the text does not tell it from spam.  One kind of
    // evidence is no longer known.
    Sample sample = made_sample(i, Label::ham);
    if (label_of(i) == Label::ham) sample.evidence = {"html-only", "no-such-evidence"};
    trainer.learn(sample, label_of(i), Teacher::administrator, "", kNow);
    if (i == 290) CHECK(trainer.publish(kNow).combiner == Combiner{});
  }
  const ModelFacts facts = trainer.publish(kNow);
  CHECK(facts.combiner.weights[Group::html] < 0.9);
  CHECK(Snapshot::open(directory.path() / "model")->facts() == facts);
}

TEST_CASE("the journal is rewritten when most of it is outdated", "[spam]") {
  const TempDirectory directory;
  Trainer trainer(directory.path());
  for (int i = 0; i < 1100; ++i) {
    learn(trainer, 1, i % 2 == 0 ? Label::spam : Label::ham);
  }
  trainer.publish(kNow);
  CHECK(read_file(directory.path() / "journal")->size() < 2000);
  learn(trainer, 2, Label::ham);
  trainer.publish(kNow);
  CHECK(parse_journal(*read_file(directory.path() / "journal")).entries.size() == 2);
}

}  // namespace
}  // namespace mxfeed::spam
