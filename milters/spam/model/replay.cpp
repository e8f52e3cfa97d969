// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/replay.h"

#include <algorithm>
#include <tuple>

#include "common/base/parallel.h"

namespace mxfeed::spam {
namespace {

// The finalizer of MurmurHash3: every bit of the result depends on every bit of `x`.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ x >> 33) * 0xFF51AFD7ED558CCD;
  x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53;
  return x ^ x >> 33;
}

// The place of a lesson among those of its class.
std::uint64_t shuffle_key(const SampleId& id, std::uint64_t seed) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | id.at(i);
  return mixed(number ^ mixed(seed + 1));
}

std::vector<std::size_t> shuffled(std::span<const Lesson> lessons, Label label,
                                  std::uint64_t seed) {
  using Place = std::tuple<std::uint64_t, SampleId, std::size_t>;
  std::vector<Place> places;
  for (std::size_t i = 0; i < lessons.size(); ++i) {
    if (lessons[i].label != label) continue;
    places.emplace_back(shuffle_key(lessons[i].id, seed), lessons[i].id, i);
  }
  std::sort(places.begin(), places.end());
  std::vector<std::size_t> indices;
  for (const Place& place : places) indices.push_back(std::get<2>(place));
  return indices;
}

}  // namespace

std::vector<std::size_t> lesson_order(std::span<const Lesson> lessons,
                                      std::uint64_t seed) {
  const std::vector<std::size_t> ham = shuffled(lessons, Label::ham, seed);
  const std::vector<std::size_t> spam = shuffled(lessons, Label::spam, seed);
  std::vector<std::size_t> order;
  order.reserve(lessons.size());
  std::size_t h = 0;
  std::size_t s = 0;
  while (h < ham.size() || s < spam.size()) {
    // The class that is behind its share.
    const bool ham_next =
        s == spam.size() ||
        (h < ham.size() && (2 * h + 1) * spam.size() <= (2 * s + 1) * ham.size());
    order.push_back(ham_next ? ham[h++] : spam[s++]);
  }
  return order;
}

Learner replay_once(std::span<const Lesson> lessons, std::uint64_t seed) {
  Learner learner;
  for (const std::size_t i : lesson_order(lessons, seed)) {
    learner.learn(lessons[i].features, lessons[i].label, lessons[i].rate);
  }
  return learner;
}

Weights replay(std::span<const Lesson> lessons, std::uint64_t seed) {
  std::array<Weights, kReplays> all;
  for_each_on_all_cores(kReplays, [&](std::size_t i) {
    all.at(i) = replay_once(lessons, seed * kReplays + i).weights();
  });
  Weights mean(kBuckets);
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    float sum = 0;
    for (const Weights& weights : all) sum += weights[bucket];
    mean[bucket] = sum / kReplays;
  }
  return mean;
}

}  // namespace mxfeed::spam
