// SPDX-License-Identifier: GPL-2.0-or-later
//
// The labelled messages that the model is made of.  Pure: the same entries, in any order,
// give the same samples.

#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "milters/spam/model/entry.h"

namespace mxfeed::spam {

class Samples {
 public:
  // Takes the entry unless there is a newer one of its id.
  void add(Entry entry);

  // The entry of an id, perhaps one that is forgotten; nullptr if there is none.
  const Entry* find(const SampleId& id) const;

  // Drops all but the `most` that were learned last, of each standing in each domain.
  void bound(std::size_t most);

  // By id, those that are forgotten included.
  const std::map<SampleId, Entry>& all() const { return all_; }
  std::size_t count(Standing standing) const;

  // What there is to learn, by id: features of this version only.  Valid until the next
  // change.
  std::vector<Lesson> lessons() const;

 private:
  std::map<SampleId, Entry> all_;
};

// Of each class and domain.
inline constexpr std::size_t kMostSamples = 20'000;

}  // namespace mxfeed::spam
