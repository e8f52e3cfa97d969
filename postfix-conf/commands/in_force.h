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
  // Where the links lead to; nothing if there is none, or it leads to no generation.
  std::optional<std::uint64_t> current, postfix;
  // What was hosted: by the generation `current`; if that is damaged, by the newest sound
  // one before it; else nothing.
  Generated hosted;
  GenerationMeta meta;
  // Of what is in force something is damaged: all of it must be written anew.
  bool is_damaged = false;
  // Written by a version whose generations do not tell damage.
  bool is_outdated = false;
};

// Prints what is damaged, and what is taken in its place.
InForce read_in_force(const Generations& generations);

// The newest generation before `before` that can be read whole; nothing if there is none.
std::optional<std::uint64_t> newest_sound(const Generations& generations,
                                          std::uint64_t before);

}  // namespace mxfeed
