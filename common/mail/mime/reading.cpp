// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/reading.h"

#include <algorithm>
#include <bit>

namespace mxfeed::mime {
namespace {

// Choice 0 always occurs.
std::uint32_t with_default(std::uint32_t choices) {
  return choices | 1u;
}

}  // namespace

void Ambiguities::add(const Ambiguities& more) {
  for (std::size_t i = 0; i < kAmbiguities; ++i) choices_[i] |= more.choices_[i];
  too_many_ |= more.too_many_;
}

std::size_t Ambiguities::combinations(std::size_t most) const {
  std::size_t count = 1;
  for (const std::uint32_t choices : choices_) {
    count *= static_cast<std::size_t>(std::popcount(with_default(choices)));
    if (count > most) return most + 1;
  }
  return count;
}

Reading Ambiguities::combination(std::size_t place) const {
  Reading reading;
  for (std::size_t i = 0; i < kAmbiguities; ++i) {
    std::uint32_t choices = with_default(choices_[i]);
    const auto count = static_cast<std::size_t>(std::popcount(choices));
    for (std::size_t skip = place % count; skip > 0; --skip) choices &= choices - 1;
    place /= count;
    reading.choose(static_cast<Ambiguity>(i),
                   static_cast<unsigned>(std::countr_zero(choices)));
  }
  return reading;
}

std::optional<Reading> Readings::next() {
  if (too_many()) return std::nullopt;
  const std::size_t count = found_.combinations(most_);
  for (std::size_t place = 0; place < count; ++place) {
    const Reading reading = found_.combination(place);
    if (given_.insert(reading).second) return reading;
  }
  return std::nullopt;
}

bool Readings::too_many() const {
  return found_.too_many() || found_.combinations(most_) > most_;
}

}  // namespace mxfeed::mime
