// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/snapshot.h"

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/metrics.h"
#include "milters/spam/model/live_model.h"
#include "milters/spam/model/view.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::spam {
namespace {

ModelFacts made_facts(std::uint64_t learned) {
  ModelFacts facts;
  facts.counts = {learned, learned + 1};
  facts.combiner.bias = -1.5;
  facts.combiner.weights[Group::content] = 1.25;
  facts.reliability.rows()[3] = {1, 2000};
  facts.made = Time(std::chrono::seconds(1'800'000'000));
  return facts;
}

Weights made_weights(float value) {
  Weights weights(kBuckets, value);
  weights[7] = -2;
  return weights;
}

std::uint64_t loads(const char* result) {
  return counter("mxfeed_spam_model_loads_total",
                 std::string("result=\"") + result + "\"")
      .value();
}

TEST_CASE("a model is opened as it was published", "[spam]") {
  const TempDirectory directory;
  const auto file = directory.path() / "model";
  CHECK(Snapshot::open(file) == nullptr);
  publish(file, made_facts(500), made_weights(0.5F));
  const auto snapshot = Snapshot::open(file);
  REQUIRE(snapshot);
  CHECK(snapshot->facts() == made_facts(500));
  CHECK(snapshot->weights().size() == kBuckets);
  CHECK(snapshot->weights()[7] == -2);
  CHECK(snapshot->weights()[kBuckets - 1] == 0.5F);
}

TEST_CASE("a damaged model is refused", "[spam]") {
  const TempDirectory directory;
  const auto file = directory.path() / "model";
  const std::string bytes = snapshot_bytes(made_facts(500), made_weights(1));
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{8}, std::size_t{12}, std::size_t{16}, std::size_t{22},
        kHeaderBytes, kSnapshotBytes - 1}) {
    CAPTURE(at);
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write_file(file, damaged);
    CHECK_THROWS_AS(Snapshot::open(file), Fault);
  }
  for (const std::size_t size : {std::size_t{0}, kHeaderBytes, kSnapshotBytes - 1}) {
    write_file(file, bytes.substr(0, size));
    CHECK_THROWS_AS(Snapshot::open(file), Fault);
  }
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  CHECK_THROWS_AS(Snapshot::open(file), Fault);
}

TEST_CASE("a new model replaces the old one, a damaged one does not", "[spam]") {
  const TempDirectory directory;
  const auto file = directory.path() / "model";
  LiveModel live(file);
  CHECK(live.get() == nullptr);
  publish(file, made_facts(500), made_weights(1));
  CHECK(live.combiner() == Combiner{});
  live.refresh();
  const auto first = live.get();
  REQUIRE(first);
  CHECK(live.combiner() == made_facts(500).combiner);

  const std::uint64_t faults = loads("fault");
  write_file(file, "damaged");
  live.refresh();
  live.refresh();
  CHECK(live.get() == first);
  CHECK(loads("fault") == faults + 1);

  publish(file, made_facts(600), made_weights(2));
  live.refresh();
  CHECK(live.get()->facts().counts.ham == 600);
  // Who still has the old one can go on using it.
  CHECK(first->weights()[0] == 1);

  std::filesystem::remove(file);
  live.refresh();
  CHECK(live.get() == nullptr);
}

TEST_CASE("the content of a message is judged by the model in force", "[spam]") {
  const TempDirectory directory;
  const auto file = directory.path() / "model";
  const Message message = read_message("Subject: hello\n\nsome text\n", Time{});
  LiveModel live(file);
  const ModelSource source(live);
  const auto found = [&] {
    Findings findings;
    source.judge(message, findings);
    return findings.all();
  };
  CHECK(found().empty());
  // It abstains.
  publish(file, made_facts(99), made_weights(1));
  live.refresh();
  Metric& abstained = counter("mxfeed_spam_model_abstained_total");
  const std::uint64_t before = abstained.value();
  CHECK(found().empty());
  CHECK(abstained.value() == before + 1);

  ModelFacts immature = made_facts(500);
  immature.reliability = {};
  publish(file, immature, made_weights(1));
  live.refresh();
  REQUIRE(found().size() == 1);
  CHECK(found()[0].slug == "content");
  CHECK(found()[0].group == Group::content);
  CHECK(found()[0].alone == Alone::med);
  CHECK(immature.combiner.weights[Group::content] * found()[0].logit ==
        Catch::Approx(kMostImmature));

  ModelFacts mature = made_facts(500);
  mature.reliability.rows()[0] = {1000, 0};
  publish(file, mature, made_weights(-1));
  live.refresh();
  REQUIRE(found().size() == 1);
  CHECK(found()[0].alone == Alone::high);
  CHECK(found()[0].logit < 0);
}

}  // namespace
}  // namespace mxfeed::spam
