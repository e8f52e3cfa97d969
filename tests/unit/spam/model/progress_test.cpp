// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/progress.h"

#include <algorithm>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/spam/model/lessons.h"

namespace mxfeed::spam {
namespace {

struct Mails {
  explicit Mails(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      contents.push_back(made_sample(i, label_of(i)).content);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      lessons.push_back({id_of_number(i), label_of(i), {}, &contents[i], GroupValues{}});
    }
  }
  std::vector<Content> contents;
  std::vector<MailLesson> lessons;
};

std::uint64_t predictions(const ModelFacts& facts) {
  std::uint64_t count = 0;
  for (const Reliability::Row& row : facts.reliability.rows())
    count += row.ham + row.spam;
  return count;
}

TEST_CASE("mails count as predicted from 100 of each class on", "[spam]") {
  Progress progress;
  const Mails mails(400);
  std::uint64_t expected = 0;
  for (std::size_t i = 0; i < mails.lessons.size(); ++i) {
    const Counts before = progress.counts();
    expected += std::min(before.ham, before.spam) >= kLeastLearned ? 1 : 0;
    progress.learn(mails.lessons[i]);
    CHECK(predictions(progress.facts()) == expected);
  }
  CHECK(expected == 102);
  CHECK(progress.counts().ham + progress.counts().spam == 400);
}

TEST_CASE("what is taught does not depend on the order of the lessons", "[spam]") {
  Mails mails(500);
  const TaughtModel first = teach(mails.lessons);
  std::rotate(mails.lessons.begin(), mails.lessons.begin() + 77, mails.lessons.end());
  const TaughtModel second = teach(mails.lessons);
  CHECK(first.weights == second.weights);
  CHECK(first.facts == second.facts);
  CHECK(margin(first.weights, made_sample(9000, Label::spam).content.features) > 3);
}

TEST_CASE("content joins the sums within its cap", "[spam]") {
  GroupValues others;
  others[Group::html] = 1;
  for (const double margin : {-50.0, -1.0, 0.0, 50.0}) {
    CAPTURE(margin);
    const GroupValues all = with_content(others, margin);
    CHECK(all[Group::html] == 1);
    CHECK(all[Group::content] == std::clamp(margin, -7.0, 7.0));
  }
}

}  // namespace
}  // namespace mxfeed::spam
