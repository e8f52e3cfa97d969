// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/samples.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace mxfeed::spam {

void Samples::add(Entry entry) {
  const auto found = all_.find(entry.id);
  if (found == all_.end()) {
    const SampleId id = entry.id;
    all_.emplace(id, std::move(entry));
  } else if (is_newer(entry, found->second)) {
    found->second = std::move(entry);
  }
}

const Entry* Samples::find(const SampleId& id) const {
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : &found->second;
}

void Samples::bound(std::size_t most) {
  using Place = std::pair<Time, SampleId>;
  std::map<std::pair<std::string_view, Standing>, std::vector<Place>> classes;
  for (const auto& [id, entry] : all_) {
    classes[{entry.domain, entry.standing}].emplace_back(entry.learned, id);
  }
  std::vector<SampleId> dropped;
  for (auto& [name, places] : classes) {
    if (places.size() <= most) continue;
    const auto kept = places.end() - static_cast<std::ptrdiff_t>(most);
    std::nth_element(places.begin(), kept, places.end());
    for (auto place = places.begin(); place != kept; ++place) {
      dropped.push_back(place->second);
    }
  }
  for (const SampleId& id : dropped) all_.erase(id);
}

std::size_t Samples::count(Standing standing) const {
  return static_cast<std::size_t>(std::count_if(
      all_.begin(), all_.end(),
      [&](const auto& sample) { return sample.second.standing == standing; }));
}

std::vector<Lesson> Samples::lessons() const {
  std::vector<Lesson> lessons;
  for (const auto& [id, entry] : all_) {
    if (entry.standing == Standing::forgotten || entry.version != kFeatureVersion) {
      continue;
    }
    const Label label = entry.standing == Standing::spam ? Label::spam : Label::ham;
    lessons.push_back({id, label, rate_of(entry.teacher), entry.features});
  }
  return lessons;
}

}  // namespace mxfeed::spam
