// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is in force, as far as it can be read.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "postfix-conf/generate/generations.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {

struct InForce {
  // The generations that the links lead to; nothing if there is no link, or no such
  // generation.
  std::optional<std::uint64_t> current, postfix;
  // What the generation `current` hosts; if that is damaged, what the newest undamaged
  // one before it hosted; otherwise nothing.
  Generated hosted;
  GenerationMeta meta;
  // Something in force is damaged: a new generation must be written.
  bool is_damaged = false;
  // It was written by a version whose generations have no checksums.
  bool is_outdated = false;
};

// Reads it; prints what is damaged, and what is used instead.
InForce read_in_force(const Generations& generations);

// The newest undamaged generation before `before`; nothing if there is none.
std::optional<std::uint64_t> newest_sound(const Generations& generations,
                                          std::uint64_t before);

}  // namespace mxfeed
