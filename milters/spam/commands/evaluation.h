// SPDX-License-Identifier: GPL-2.0-or-later
//
// How well the classifier does on mails whose labels are known.  Pure.

#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/json.h"
#include "milters/spam/model/maturity.h"
#include "milters/spam/model/quality.h"
#include "milters/spam/score.h"

namespace mxfeed::spam {

class Evaluation {
 public:
  void add(const Score& score, std::span<const Evidence> findings, bool is_spam);

  const std::vector<Judged>& judged() const { return judged_; }
  std::size_t ham() const { return ham_; }
  std::size_t spam() const { return judged_.size() - ham_; }
  // Mails by their level at the default thresholds: none, low, med, high.
  const std::array<Reliability::Row, 4>& levels() const { return levels_; }
  // How many mails have a piece of evidence, by slug.
  const std::map<std::string_view, Reliability::Row>& evidence() const {
    return evidence_;
  }

  Json json() const;
  // For people, with a line feed at the end.
  std::string table() const;

 private:
  std::vector<Judged> judged_;
  std::size_t ham_ = 0;
  std::array<Reliability::Row, 4> levels_{};
  std::map<std::string_view, Reliability::Row> evidence_;
};

}  // namespace mxfeed::spam
