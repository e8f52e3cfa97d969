// SPDX-License-Identifier: GPL-2.0-or-later
//
// Prints what the benches of spam classification find: lines
// "EXPERIMENT<TAB>RUN<TAB>KEY=VALUE ..." for tests/bench/spam.

#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "milters/spam/model/maturity.h"
#include "milters/spam/model/quality.h"
#include "tests/bench/spam_corpus.h"

namespace mxfeed::spam::bench {

using Scores = std::map<std::size_t, double>;  // by the mail's index

class Report {
 public:
  // With a directory, the score of each mail goes to EXPERIMENT-RUN.tsv there.  The mails
  // must outlive it.
  Report(const std::vector<Mail>& mails, std::string directory)
      : mails_(mails), directory_(std::move(directory)) {}

  // `said`: by which the probabilities are counted.
  void print(const std::string& name, std::uint64_t run, const Scores& scores,
             const Scores& said) const {
    const std::vector<Judged> all = judged(scores);
    const std::vector<Judged> sure = judged(said);
    const auto spam = static_cast<double>(std::count_if(
        all.begin(), all.end(), [](const Judged& one) { return one.is_spam; }));
    const std::size_t ham99 = count_from(sure, false, 0.99);
    const std::size_t spam99 = count_from(sure, true, 0.99);
    fmt::print(
        "{}\t{}\troca={:.4f} t01={:.2f} t1={:.2f} ham99={} catch99={:.1f} "
        "low99={:.2f}{}\n",
        name, run, misranked(all), hits_at(all, 0.001), hits_at(all, 0.01), ham99,
        100 * static_cast<double>(spam99) / spam,
        100 * wilson_bound(spam99, spam99 + ham99), run == 0 ? intervals(all) : "");
    std::fflush(stdout);
    if (directory_.empty()) return;
    std::ofstream file(fmt::format("{}/{}-{}.tsv", directory_, name, run));
    for (const auto& [i, logit] : scores) {
      file << fmt::format("{}\t{}\t{}\t{:.6f}\n", mails_[i].name,
                          mails_[i].is_spam ? "spam" : "ham", mails_[i].fold, logit);
    }
  }

 private:
  std::vector<Judged> judged(const Scores& from) const {
    std::vector<Judged> all;
    for (const auto& [i, logit] : from) all.push_back({logit, mails_[i].is_spam});
    return all;
  }

  // The 95 % intervals by 1000 resamples of each class.
  static std::string intervals(const std::vector<Judged>& all) {
    constexpr std::size_t kResamples = 1000;
    std::vector<Judged> ham;
    std::vector<Judged> spam;
    for (const Judged& one : all) (one.is_spam ? spam : ham).push_back(one);
    std::mt19937_64 random(0);
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

  const std::vector<Mail>& mails_;
  const std::string directory_;
};

}  // namespace mxfeed::spam::bench
