// SPDX-License-Identifier: GPL-2.0-or-later
//
// Learns in memory as a site does, message after message, each of which is judged before
// its label is known.

#pragma once

#include <span>
#include <vector>

#include "milters/spam/model/content.h"
#include "milters/spam/model/model.h"
#include "milters/spam/model/replay.h"

namespace mxfeed::spam {

// A mail to learn; what it refers to must outlive the learning.
struct MailLesson {
  SampleId id{};
  Label label = Label::ham;
  Rate rate;
  const Content* content = nullptr;
  GroupValues others;  // the sums of what was found besides the content
};

// One thread at a time.
class Progress {
 public:
  void learn(const MailLesson& mail);

  // The log-odds of a content by what has been learned up to now.
  double margin(const Content& content) const {
    return content_margin(content, learner_);
  }
  const Counts& counts() const { return counts_; }
  // What follows from the predictions up to now.
  ModelFacts facts() const;

 private:
  Learner learner_;
  Counts counts_;
  std::vector<Arrival> arrivals_;
};

// The sums with what the model says of the content.
GroupValues with_content(GroupValues sums, double margin);

// A model that was made in memory.
struct TaughtModel {
  Weights weights;
  ModelFacts facts;
};

// Learns the mails, on all cores.  What is known besides the weights comes from learning
// them in another order, one after the other.
TaughtModel teach(std::span<const MailLesson> mails, std::uint64_t seed = 0);

}  // namespace mxfeed::spam
