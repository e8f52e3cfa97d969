// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/replay.h"

#include <algorithm>
#include <set>

#include "tests/support/catch.h"
#include "tests/unit/spam/model/lessons.h"

namespace mxfeed::spam {
namespace {

struct Material {
  std::vector<Sample> samples;
  std::vector<Lesson> lessons;

  explicit Material(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      samples.push_back(made_sample(i, label_of(i)));
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      lessons.push_back({samples[i].id, label_of(i), {}, samples[i].content.features});
    }
  }
};

TEST_CASE("the weights do not depend on the order of the lessons", "[spam]") {
  Material material(120);
  const Weights weights = replay(material.lessons);
  std::minstd_rand random(7);
  for (int i = 0; i < 3; ++i) {
    std::shuffle(material.lessons.begin(), material.lessons.end(), random);
    CHECK(replay(material.lessons) == weights);
  }
  CHECK(replay(material.lessons, 1) != weights);
}

TEST_CASE("every lesson is learned once, and the classes are spread evenly", "[spam]") {
  const Material material(300);
  const auto order = lesson_order(material.lessons, 0);
  CHECK(std::set(order.begin(), order.end()).size() == material.lessons.size());
  std::size_t spam = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    spam += material.lessons[order[i]].label == Label::spam ? 1 : 0;
    // A third of all is spam.
    CHECK(3 * spam + 3 >= i);
    CHECK(3 * spam <= i + 4);
  }
  CHECK(lesson_order(material.lessons, 1) != order);
}

TEST_CASE("one class alone is learned too", "[spam]") {
  const Material material(3);
  for (const Lesson& lesson : material.lessons) {
    const double z = margin(replay(std::vector{lesson}), lesson.features);
    CHECK((z > 0) == (lesson.label == Label::spam));
  }
  CHECK(replay({}) == Weights(kBuckets));
}

TEST_CASE("another lesson leaves the others in their order", "[spam]") {
  const Material material(50);
  const auto of = [&](std::size_t count) {
    std::vector<SampleId> ids;
    const std::vector<Lesson> some(
        material.lessons.begin(),
        material.lessons.begin() + static_cast<std::ptrdiff_t>(count));
    for (const std::size_t i : lesson_order(some, 0)) {
      if (i < 40 && some[i].label == Label::ham) ids.push_back(some[i].id);
    }
    return ids;
  };
  CHECK(of(40) == of(50));
}

}  // namespace
}  // namespace mxfeed::spam
