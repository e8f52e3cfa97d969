// SPDX-License-Identifier: GPL-2.0-or-later
//
// Measures spam classification on the labelled mails of a list (spam_corpus.h): the
// content model alone, all evidence through the combiner ("-all"), and the same where
// "high" needs two groups that agree, as if the content had not proved itself ("-high").
// The maturity gate is off.  Prints the lines of spam_report.h.

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <iostream>
#include <random>

#include "milters/spam/evidence/evidence.h"
#include "milters/spam/model/model.h"
#include "milters/spam/model/progress.h"
#include "milters/spam/score.h"
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
    const auto [train, test] = by_time();
    Outcome outcome;
    judge_by(teach(lessons(train), seed), test, outcome);
    print("chrono", seed, outcome);
  }

  // How much of the later spam falls below "low" by text of the site's own ham that is
  // put behind its own.
  void padding() {
    const auto [train, test] = by_time();
    const TaughtModel model = teach(lessons(train));
    std::string ham;
    for (const std::size_t i : train) {
      if (!mails_[i].is_spam) ham += read_message(mails_[i].bytes, Time{}).plain;
    }
    for (const std::size_t bytes : {0, 2048, 8192}) {
      std::mt19937_64 random(bytes);
      std::size_t spam = 0;
      std::size_t missed = 0;
      for (const std::size_t i : test) {
        if (!mails_[i].is_spam) continue;
        Message message = read_message(mails_[i].bytes, Time{});
        const std::string text =
            '\n' + ham.substr(random() % (ham.size() - bytes), bytes);
        // Where the text is; nobody reads the other part of an alternative.
        if (!message.html.visible.empty()) message.html.visible += text;
        if (!message.plain.empty() || message.html.visible.empty()) message.plain += text;
        const double logit = content_margin(content_of(message), model.weights);
        ++spam;
        missed += combined(model.facts.combiner, i, logit) < 0 ? 1 : 0;
      }
      fmt::print("padding\t{}\tmissed={:.1f}\n", bytes,
                 100 * static_cast<double>(missed) / static_cast<double>(spam));
    }
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
      std::vector<MailLesson> taught = lessons(train);
      for (std::size_t i = 0; i < train.size(); ++i) {
        if (!flipped[train[i]]) continue;
        taught[i].label = taught[i].label == Label::ham ? Label::spam : Label::ham;
      }
      judge_by(teach(taught, noise > 0 ? 0 : seed),
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
      const double logit = progress.margin(mails_[i].content);
      const double weight = ramp(progress.counts());
      if (at % kBetween == 0) combiner = progress.facts().combiner;
      outcome.add(i, logit, combined(combiner, i, logit));
      said.add(i, weight * logit, combined(combiner, i, weight * logit));
      progress.learn(mails_[i].mail_lesson(rate_));
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
    std::vector<Content> contents;
    const double extracting = time_of([&] {
      for (const Message& message : messages) contents.push_back(content_of(message));
    });
    const Weights weights(kBuckets, 0.5F);
    double sum = static_cast<double>(found);
    const double scoring = time_of([&] {
      for (const Content& one : contents) sum += content_margin(one, weights);
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
    Scores agreed;  // all, but below "high" where groups do not agree
  };

  Indices select(const std::function<bool(const Mail&)>& wanted) const {
    Indices all;
    for (std::size_t i = 0; i < mails_.size(); ++i) {
      if (wanted(mails_[i])) all.push_back(i);
    }
    return all;
  }

  std::vector<MailLesson> lessons(const Indices& indices) const {
    std::vector<MailLesson> all;
    for (const std::size_t i : indices) all.push_back(mails_[i].mail_lesson(rate_));
    return all;
  }

  // The oldest 60 % of each class, and the rest.
  std::pair<Indices, Indices> by_time() const {
    std::pair<Indices, Indices> divided;
    for (const bool is_spam : {false, true}) {
      Indices all = select([&](const Mail& mail) { return mail.is_spam == is_spam; });
      std::stable_sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) {
        return mails_[a].time < mails_[b].time;
      });
      const auto middle = all.begin() + static_cast<long>(all.size() * 6 / 10);
      divided.first.insert(divided.first.end(), all.begin(), middle);
      divided.second.insert(divided.second.end(), middle, all.end());
    }
    return divided;
  }

  void judge_by(const TaughtModel& model, const Indices& test, Outcome& outcome) const {
    for (const std::size_t i : test) {
      const double logit = content_margin(mails_[i].content, model.weights);
      outcome.add(i, logit, combined(model.facts.combiner, i, logit));
      outcome.agreed[i] = agreed(model.facts.combiner, i, logit);
    }
  }

  double combined(const Combiner& combiner, std::size_t mail, double logit) const {
    return combiner(with_content(mails_[mail].sums, logit));
  }

  double agreed(const Combiner& combiner, std::size_t mail, double logit) const {
    constexpr double kBelowHigh = 4.59;  // log-odds; the level begins at 4.595
    const GroupValues sums = with_content(mails_[mail].sums, logit);
    const double all = combiner(sums);
    return agreeing_groups(sums, combiner) < 2 ? std::min(all, kBelowHigh) : all;
  }

  void print(const std::string& name, std::uint64_t run, const Outcome& outcome) const {
    report_.print(name, run, outcome.content, outcome.content);
    report_.print(name + "-all", run, outcome.all, outcome.all);
    report_.print(name + "-high", run, outcome.all, outcome.agreed);
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
  if (wanted("padding")) bench.padding();
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
