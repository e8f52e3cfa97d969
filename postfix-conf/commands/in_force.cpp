// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/in_force.h"

#include <fmt/format.h>

#include <limits>
#include <string>

#include "common/base/fault.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/generate/generation_files.h"

namespace mxfeed {
namespace {

std::optional<std::uint64_t> led_to(const Generations& generations, const char* link,
                                    bool& is_damaged) {
  try {
    const auto number = generations.number_of(link);
    if (!number || generations.exists(*number)) return number;
    complain(fmt::format("warning: {}: generation {} is missing", link, *number));
  } catch (const Fault& fault) {
    complain(fmt::format("warning: {}", fault.what()));
  }
  is_damaged = true;
  return std::nullopt;
}

// Takes what was hosted from the newest undamaged generation.
void recover(const Generations& generations, InForce& in_force) {
  const auto sound = newest_sound(
      generations, in_force.current.value_or(std::numeric_limits<std::uint64_t>::max()));
  if (!sound) {
    complain("warning: no undamaged generation is left: removed domains are not known");
    return;
  }
  in_force.hosted = generations.load(*sound);
  in_force.meta = generations.meta(*sound);
  complain(
      fmt::format("warning: generation {} is the newest undamaged one: removed domains "
                  "are taken from it",
                  *sound));
}

}  // namespace

std::optional<std::uint64_t> newest_sound(const Generations& generations,
                                          std::uint64_t before) {
  auto all = generations.list();
  for (auto one = all.rbegin(); one != all.rend(); ++one) {
    if (one->number >= before) continue;
    try {
      generations.load(one->number);
      return one->number;
    } catch (const Fault& fault) {
      complain(fmt::format("warning: {}", fault.what()));
    }
  }
  return std::nullopt;
}

InForce read_in_force(const Generations& generations) {
  InForce in_force;
  const auto attempt = [&](const std::function<void()>& work) {
    try {
      work();
      return true;
    } catch (const Fault& fault) {
      complain(fmt::format("warning: {}", fault.what()));
      in_force.is_damaged = true;
      return false;
    }
  };
  in_force.current = led_to(generations, Generations::kCurrent, in_force.is_damaged);
  in_force.postfix =
      led_to(generations, Generations::kCurrentPostfix, in_force.is_damaged);
  bool is_known = in_force.current.has_value();
  if (in_force.current) {
    const auto number = *in_force.current;
    is_known = attempt([&] { in_force.hosted = generations.load(number); });
    const bool has_meta = attempt([&] { in_force.meta = generations.meta(number); });
    if (is_known && has_meta) {
      attempt([&] {
        in_force.is_outdated = !check_other_files(generations.directory(number));
      });
    }
  }
  if (in_force.postfix && in_force.postfix != in_force.current) {
    attempt([&] { check_files(generations.directory(*in_force.postfix)); });
  }
  if (!is_known && !generations.list().empty()) in_force.is_damaged = true;
  if (in_force.is_damaged)
    complain("warning: the generation in force is damaged: writing a new one");
  if (in_force.is_damaged && !is_known) recover(generations, in_force);
  return in_force;
}

}  // namespace mxfeed
