// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/progress.h"

#include <algorithm>

namespace mxfeed::spam {
namespace {

// Orders from here on are none of those of replay().
constexpr std::uint64_t kOtherOrders = 1000;

}  // namespace

GroupValues with_content(GroupValues sums, double margin) {
  const Cap cap = cap_of(Group::content);
  sums[Group::content] = std::clamp(margin, cap.least, cap.most);
  return sums;
}

void Progress::learn(const MailLesson& mail) {
  const bool is_spam = mail.label == Label::spam;
  if (std::min(counts_.ham, counts_.spam) >= kLeastLearned) {
    arrivals_.push_back({with_content(mail.others, margin(*mail.content)), is_spam, ""});
  }
  ++(is_spam ? counts_.spam : counts_.ham);
  learner_.learn(mail.content->features, mail.label, mail.rate);
}

ModelFacts Progress::facts() const {
  const std::size_t most = std::min(arrivals_.size(), kMostPredictions);
  return facts_of(counts_, std::span(arrivals_).last(most));
}

TaughtModel teach(std::span<const MailLesson> mails, std::uint64_t seed) {
  std::vector<Lesson> lessons;
  lessons.reserve(mails.size());
  for (const MailLesson& mail : mails) {
    lessons.push_back({mail.id, mail.label, mail.rate, mail.content->features});
  }
  Progress progress;
  for (const std::size_t i : lesson_order(lessons, kOtherOrders + seed)) {
    progress.learn(mails[i]);
  }
  return {replay(lessons, seed), progress.facts()};
}

}  // namespace mxfeed::spam
