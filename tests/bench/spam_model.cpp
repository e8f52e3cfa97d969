// SPDX-License-Identifier: GPL-2.0-or-later
//
// Measures the content model on the labelled mails of a list (spam_corpus.h).  Prints
// lines "EXPERIMENT<TAB>RUN<TAB>KEY=VALUE ..." for tests/bench/spam, and with --scores
// DIR writes the score of each mail to DIR/EXPERIMENT-RUN.tsv.

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <random>

#include "milters/spam/evidence/evidence.h"
#include "milters/spam/model/model.h"
#include "milters/spam/model/numeric.h"
#include "milters/spam/model/quality.h"
#include "milters/spam/score.h"
#include "tests/bench/spam_corpus.h"

namespace mxfeed::spam::bench {
namespace {

using Indices = std::vector<std::size_t>;

class Bench {
 public:
  Bench(std::vector<Mail> mails, std::string scores, Rate rate)
      : mails_(std::move(mails)), scores_(std::move(scores)), rate_(rate) {}

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
    const Weights weights = replay(lessons(train), seed);
    Scores scores;
    for (const std::size_t i : test) scores[i] = margin(weights, mails_[i].features);
    report("chrono", seed, scores);
    for (const double weight : {0.125, 0.25, 0.35, 0.5, 1.0}) {
      report(fmt::format("chrono+{}", weight), seed, with_rules(scores, weight));
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
    Scores scores;
    for (unsigned fold = 0; fold < 5; ++fold) {
      const Indices train = select([&](const Mail& mail) { return mail.fold != fold; });
      std::vector<Lesson> taught = lessons(train);
      for (std::size_t i = 0; i < train.size(); ++i) {
        if (!flipped[train[i]]) continue;
        taught[i].label = taught[i].label == Label::ham ? Label::spam : Label::ham;
      }
      const Weights weights = replay(taught, noise > 0 ? 0 : seed);
      for (const std::size_t i :
           select([&](const Mail& mail) { return mail.fold == fold; })) {
        scores[i] = margin(weights, mails_[i].features);
      }
    }
    report(name, seed, scores);
    if (noise > 0) return;
    for (const double weight : {0.125, 0.25, 0.35, 0.5, 1.0}) {
      report(fmt::format("{}+{}", name, weight), seed, with_rules(scores, weight));
    }
  }

  // Each mail is judged, then learned, from nothing on.  All are ranked; what is said of
  // them is nothing at first, as in the milter.
  void online(std::uint64_t seed) {
    Indices order = select([](const Mail&) { return true; });
    std::mt19937_64 random(seed);
    if (seed > 0) std::shuffle(order.begin(), order.end(), random);
    Learner learner;
    Counts counts;
    Scores scores;
    Scores said;
    for (const std::size_t i : order) {
      scores[i] = learner.margin(mails_[i].features);
      said[i] = ramp(counts) * scores[i];
      ++(mails_[i].is_spam ? counts.spam : counts.ham);
      const Lesson lesson = mails_[i].lesson(rate_);
      learner.learn(lesson.features, lesson.label, lesson.rate);
    }
    report("online", seed, scores, said);
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
  using Scores = std::map<std::size_t, double>;  // by the mail's index

  Indices select(const std::function<bool(const Mail&)>& wanted) const {
    Indices all;
    for (std::size_t i = 0; i < mails_.size(); ++i) {
      if (wanted(mails_[i])) all.push_back(i);
    }
    return all;
  }

  // The content as the milter bounds it, and the other evidence with a weight.
  Scores with_rules(Scores scores, double weight) const {
    for (auto& [i, logit] : scores) {
      logit = std::clamp(logit, -kMostContent, kMostContent) + weight * mails_[i].rules;
    }
    return scores;
  }

  std::vector<Lesson> lessons(const Indices& indices) const {
    std::vector<Lesson> all;
    for (const std::size_t i : indices) all.push_back(mails_[i].lesson(rate_));
    return all;
  }

  void report(const std::string& name, std::uint64_t run, const Scores& scores) const {
    report(name, run, scores, scores);
  }

  // `said`: by which the probabilities are counted.
  void report(const std::string& name, std::uint64_t run, const Scores& scores,
              const Scores& said) const {
    const auto judged = [&](const Scores& from) {
      std::vector<Judged> all;
      for (const auto& [i, logit] : from) all.push_back({logit, mails_[i].is_spam});
      return all;
    };
    const std::vector<Judged> all = judged(scores);
    const std::vector<Judged> sure = judged(said);
    const auto spam = static_cast<double>(std::count_if(
        all.begin(), all.end(), [](const Judged& one) { return one.is_spam; }));
    fmt::print("{}\t{}\troca={:.4f} t01={:.2f} t1={:.2f} ham99={} catch99={:.1f}", name,
               run, misranked(all), hits_at(all, 0.001), hits_at(all, 0.01),
               count_from(sure, false, 0.99),
               100 * static_cast<double>(count_from(sure, true, 0.99)) / spam);
    const bool is_first = run == 0 && name.find('+') == name.npos;
    fmt::print("{}\n", is_first ? bounds(all, run) : "");
    std::fflush(stdout);
    if (scores_.empty()) return;
    std::ofstream file(fmt::format("{}/{}-{}.tsv", scores_, name, run));
    for (const auto& [i, logit] : scores) {
      file << fmt::format("{}\t{}\t{:.6f}\n", mails_[i].name,
                          mails_[i].is_spam ? "spam" : "ham", logit);
    }
  }

  // The 95 % intervals by 1000 resamples of each class.
  static std::string bounds(const std::vector<Judged>& all, std::uint64_t run) {
    constexpr std::size_t kResamples = 1000;
    std::vector<Judged> ham;
    std::vector<Judged> spam;
    for (const Judged& one : all) (one.is_spam ? spam : ham).push_back(one);
    std::mt19937_64 random(run);
    std::vector<double> roca;
    std::vector<double> hits;
    for (std::size_t i = 0; i < kResamples; ++i) {
      std::vector<Judged> sample;
      for (const auto* from : {&ham, &spam}) {
        for (std::size_t k = 0; k < from->size(); ++k) {
          sample.push_back((*from)[random() % from->size()]);
        }
      }
      roca.push_back(misranked(sample));
      hits.push_back(hits_at(sample, 0.001));
    }
    std::sort(roca.begin(), roca.end());
    std::sort(hits.begin(), hits.end());
    constexpr std::size_t kLow = kResamples * 25 / 1000;
    constexpr std::size_t kHigh = kResamples * 975 / 1000 - 1;
    return fmt::format(" roca_low={:.4f} roca_high={:.4f} t01_low={:.1f} t01_high={:.1f}",
                       roca[kLow], roca[kHigh], hits[kLow], hits[kHigh]);
  }

  const std::vector<Mail> mails_;
  const std::string scores_;
  const Rate rate_;
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
