// SPDX-License-Identifier: GPL-2.0-or-later
//
// The generations below the state directory:
//   generations/N/     written completely, verified, then never changed (except mtimes,
//   below) current            -> generations/N, what the milters read current-postfix ->
//   generations/N, what Postfix reads
//
// Two links, since the milters must know a new domain before Postfix takes mail for it.
// Both are swapped with one rename each, `current` first.  Removed domains would need the
// reverse order, but no third step is necessary: a generation keeps the policy of domains
// that may still have mail in the queue.  A crash between the two leaves milters that
// know more than Postfix, which is harmless; the next apply moves both.
//
// Postfix notices a new map only if the mtime of the file that it has open changes
// (dict(3), dict_changed_name); it checks every 10 s or between clients.  So the old
// files are touched after the swap.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "postfix-conf/generate/meta.h"
#include "postfix-conf/generate/rows.h"

namespace mxfeed {

class Generations {
 public:
  static constexpr const char* kCurrent = "current";
  static constexpr const char* kCurrentPostfix = "current-postfix";
  static constexpr std::size_t kKeep = 20;
  static constexpr std::size_t kKeepMost = 100;

  explicit Generations(std::filesystem::path state);

  const std::filesystem::path& state() const { return state_; }
  std::filesystem::path directory(std::uint64_t number) const;

  // The lock for making generations; nothing if another process holds it.  Creates the
  // state directory.  Throws Fault.
  std::optional<Fd> lock() const;

  // The generation that the link leads to; nothing if there is no link.  Throws Fault if
  // it does not lead to a generation.
  std::optional<std::uint64_t> number_of(const char* link) const;
  // In ascending order; without those whose meta is missing or damaged.
  std::vector<GenerationMeta> list() const;
  bool exists(std::uint64_t number) const;
  // Each throws Fault if it is missing or damaged.
  GenerationMeta meta(std::uint64_t number) const;
  // What only meta has is not in it if that is damaged.
  Generated load(std::uint64_t number) const;

  // Writes and verifies a new generation, without putting it in force; returns its
  // number.  Sets meta.number, the counts, and what meta and `generated`
  // share.  Throws Fault and then leaves nothing behind.
  std::uint64_t write(const Generated& generated, GenerationMeta meta) const;

  // Makes the link lead to the generation.
  void point(const char* link, std::uint64_t number) const;
  // Makes Postfix notice that the maps of the generation are no longer in force.
  void touch_maps(std::uint64_t number) const;
  // Removes unfinished generations; those newer than the ones in force, which were never
  // used, except the last; and all others except the last kKeep, those in force, their
  // predecessors and originals, and up to kKeepMost in force at `since` or later.
  void prune(Time since) const;

 private:
  const std::filesystem::path state_;
};

}  // namespace mxfeed
