// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/content.h"

#include <algorithm>

#include "milters/spam/model/view.h"

namespace mxfeed::spam {
namespace {

// The strongest of many passages speaks more for spam than the whole does, also in ham.
constexpr double kDiscount = 2.5;
// As it is shipped, the combiner makes "low" of that: other evidence must agree, or local
// labels must have shown that content counts more.
constexpr double kMostPassage = 4;

double with_passage(double whole, double strongest) {
  return std::max(whole, std::min(strongest - kDiscount, kMostPassage));
}

}  // namespace

Content content_of(const Message& message) {
  const View view = view_of(message);
  return {features_of(view.whole), {features_of(view.common), view.text}};
}

double content_margin(const Content& content, std::span<const float> weights) {
  const auto weight_of = [&](std::uint32_t bucket) { return weights[bucket]; };
  return with_passage(margin(weights, content.features),
                      content.passages.strongest(weight_of));
}

double content_margin(const Content& content, const Learner& learner) {
  const auto weight_of = [&](std::uint32_t bucket) { return learner.weight(bucket); };
  return with_passage(learner.margin(content.features),
                      content.passages.strongest(weight_of));
}

}  // namespace mxfeed::spam
