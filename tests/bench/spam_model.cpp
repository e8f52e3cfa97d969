// SPDX-License-Identifier: GPL-2.0-or-later
//
// Measures spam classification on the labelled mails of a list (spam_corpus.h): the
// content model alone, and all evidence through the combiner ("-all").  The maturity gate
// is off.  Prints the lines of spam_report.h.

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <iostream>
#include <random>

#include "milters/spam/evidence/evidence.h"
#include "milters/spam/model/model.h"
#include "milters/spam/model/progress.h"
#include "tests/bench/spam_corpus.h"
#include "tests/bench/spam_report.h"

namespace mxfeed::spam::bench {
namespace {

using Indices = std::vector<std::size_t>;

class Bench {
 public:
  Bench(std::vector<Mail> mails, std::string scores, Rate rate)
      : mails_(std::move(mails)), rate_(rate), report_(mails_, std::move(scores)) {}

  // The oldest 60 % of each class teach; the rest is judged.
  void chronological(std::uint64_t seed) {
    Indices train;
    Indices test;
    for (const bool is_spam : {false, true}) {
      Indices all = select([&](const Mail& mail) { return mail.is_spam == is_spam; });
      std::stable_sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) {
        return mails_[a].time < mails_[b].time;
      });
      const std::size_t most = all.size() * 6 / 10;
      train.insert(train.end(), all.begin(), all.begin() + static_cast<long>(most));
      test.insert(test.end(), all.begin() + static_cast<long>(most), all.end());
    }
    Outcome outcome;
    judge_by(teach(lessons(train), sums_of(train), seed), test, outcome);
    print("chrono", seed, outcome);
  }

  // Each fifth is judged by what the other four taught.  A share of the labels that teach
  // is wrong.
  void folds(const std::string& name, std::uint64_t seed, double noise) {
    std::mt19937_64 random(seed + 1);
    std::vector<bool> flipped(mails_.size());
    for (std::size_t i = 0; i < flipped.size(); ++i) {
      flipped[i] = static_cast<double>(random() >> 11) * 0x1p-53 < noise;
    }
    Outcome outcome;
    for (unsigned fold = 0; fold < 5; ++fold) {
      const Indices train = select([&](const Mail& mail) { return mail.fold != fold; });
      std::vector<Lesson> taught = lessons(train);
      for (std::size_t i = 0; i < train.size(); ++i) {
        if (!flipped[train[i]]) continue;
        taught[i].label = taught[i].label == Label::ham ? Label::spam : Label::ham;
      }
      judge_by(teach(taught, sums_of(train), noise > 0 ? 0 : seed),
               select([&](const Mail& mail) { return mail.fold == fold; }), outcome);
    }
    print(name, seed, outcome);
  }

  // Each mail is judged, then learned, from nothing on.  All are ranked; what is said of
  // them is nothing at first, as in the milter.
  void online(std::uint64_t seed) {
    constexpr std::size_t kBetween = 250;  // mails between two published models
    Indices order = select([](const Mail&) { return true; });
    std::mt19937_64 random(seed);
    if (seed > 0) std::shuffle(order.begin(), order.end(), random);
    Progress progress;
    Combiner combiner;
    Outcome outcome;
    Outcome said;
    for (std::size_t at = 0; at < order.size(); ++at) {
      const std::size_t i = order[at];
      const Lesson lesson = mails_[i].lesson(rate_);
      const double logit = progress.margin(lesson.features);
      const double weight = ramp(progress.counts());
      if (at % kBetween == 0) combiner = progress.facts().combiner;
      outcome.add(i, logit, combined(combiner, i, logit));
      said.add(i, weight * logit, combined(combiner, i, weight * logit));
      progress.learn(lesson, mails_[i].sums);
    }
    report_.print("online", seed, outcome.content, said.content);
    report_.print("online-all", seed, outcome.all, said.all);
  }

  void speed() {
    // Of the processor; other work on the machine does not count.
    const auto time_of = [](const std::function<void()>& work) {
      const std::clock_t begin = std::clock();
      work();
      return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    };
    const auto each = [&](double seconds) {
      return 1e6 * seconds / static_cast<double>(mails_.size());
    };
    std::vector<Message> messages;
    const double reading = time_of([&] {
      for (const Mail& mail : mails_) {
        messages.push_back(read_message(mail.bytes, Time{}));
      }
    });
    const Sources all = sources();
    std::size_t found = 0;
    const double judging = time_of([&] {
      for (const Message& message : messages) found += judge(all, message).size();
    });
    std::vector<Features> features;
    const double extracting = time_of([&] {
      for (const Message& message : messages) {
        features.push_back(features_of(structured_view(message)));
      }
    });
    const Weights weights(kBuckets, 0.5F);
    double sum = static_cast<double>(found);
    const double scoring = time_of([&] {
      for (const Features& one : features) sum += margin(weights, one);
    });
    Learner learner;
    const double learning = time_of([&] {
      for (const Mail& mail : mails_) {
        const Lesson lesson = mail.lesson(rate_);
        learner.learn(lesson.features, lesson.label, lesson.rate);
      }
    });
    std::vector<Lesson> many;
    for (std::size_t i = 0; i < 20'000; ++i) {
      many.push_back(mails_[i % mails_.size()].lesson(rate_));
      many.back().id = id_of(std::to_string(i));
    }
    const double replaying = time_of([&] { sum += replay(many)[0]; });
    fmt::print(
        "speed\t0\tread={:.1f} judge={:.1f} extract={:.1f} score={:.2f} "
        "learn={:.1f} replay20000={:.2f} sum={:.0f}\n",
        each(reading), each(judging), each(extracting), each(scoring), each(learning),
        replaying, sum);
  }

 private:
  struct Outcome {
    void add(std::size_t mail, double by_content, double by_all) {
      content[mail] = by_content;
      all[mail] = by_all;
    }
    Scores content;
    Scores all;
  };

  Indices select(const std::function<bool(const Mail&)>& wanted) const {
    Indices all;
    for (std::size_t i = 0; i < mails_.size(); ++i) {
      if (wanted(mails_[i])) all.push_back(i);
    }
    return all;
  }

  std::vector<Lesson> lessons(const Indices& indices) const {
    std::vector<Lesson> all;
    for (const std::size_t i : indices) all.push_back(mails_[i].lesson(rate_));
    return all;
  }

  std::vector<GroupValues> sums_of(const Indices& indices) const {
    std::vector<GroupValues> all;
    for (const std::size_t i : indices) all.push_back(mails_[i].sums);
    return all;
  }

  void judge_by(const TaughtModel& model, const Indices& test, Outcome& outcome) const {
    for (const std::size_t i : test) {
      const double logit = margin(model.weights, mails_[i].features);
      outcome.add(i, logit, combined(model.facts.combiner, i, logit));
    }
  }

  double combined(const Combiner& combiner, std::size_t mail, double logit) const {
    return combiner(with_content(mails_[mail].sums, logit));
  }

  void print(const std::string& name, std::uint64_t run, const Outcome& outcome) const {
    report_.print(name, run, outcome.content, outcome.content);
    report_.print(name + "-all", run, outcome.all, outcome.all);
  }

  const std::vector<Mail> mails_;
  const Rate rate_;
  const Report report_;
};

int run(int argc, char** argv) {
  std::string scores;
  Rate rate;
  std::string only;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--scores") scores = argv[i + 1];
    if (option == "--rate") rate.step = std::stod(argv[i + 1]);
    if (option == "--most") rate.most = std::stod(argv[i + 1]);
    if (option == "--only") only = argv[i + 1];
  }
  Bench bench(read_corpus(std::cin), scores, rate);
  const auto wanted = [&](const char* name) { return only.empty() || only == name; };
  for (std::uint64_t seed = 0; seed < 4 && wanted("chrono"); ++seed) {
    bench.chronological(seed);
  }
  for (std::uint64_t seed = 0; seed < 4 && wanted("cv"); ++seed) {
    bench.folds("cv", seed, 0);
  }
  for (std::uint64_t seed = 0; seed < 3 && wanted("online"); ++seed) bench.online(seed);
  for (std::uint64_t seed = 0; seed < 3 && wanted("noise"); ++seed) {
    bench.folds("noise", seed, 0.05);
  }
  if (wanted("speed")) bench.speed();
  return 0;
}

}  // namespace
}  // namespace mxfeed::spam::bench

int main(int argc, char** argv) {
  try {
    return mxfeed::spam::bench::run(argc, argv);
  } catch (const std::exception& fault) {
    fmt::print(stderr, "{}\n", fault.what());
    return 1;
  }
}
