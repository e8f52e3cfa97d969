// SPDX-License-Identifier: GPL-2.0-or-later
//
// The generations below the state directory:
//   generations/N/     written whole, proved, then never changed (but for mtimes, below)
//   current            -> generations/N, what the milters read
//   current-postfix    -> generations/N, what Postfix reads
//
// Two links, since the milters must know a new domain before Postfix takes mail for it.
// Both are swapped with one rename each, `current` first.  The reverse order for domains
// that go needs no third step: a generation keeps the policy of domains whose mail may
// still wait.  A crash between the two leaves milters that know more than Postfix, which
// is harmless; the next apply moves both.
//
// Postfix notices a map only by the file it has open: its mtime changed (dict(3),
// dict_changed_name), looked at every 10 s or between clients.  So the files that were
// left are touched after the swap.

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

  // Held while generations are made; nothing if another process holds it.  Makes the
  // state directory.  Throws Fault.
  std::optional<Fd> lock() const;

  // The generation that the link leads to; nothing if there is none.  Throws Fault if it
  // leads elsewhere.
  std::optional<std::uint64_t> number_of(const char* link) const;
  // Rising; what is no generation or is damaged is left out.
  std::vector<GenerationMeta> list() const;
  bool exists(std::uint64_t number) const;
  // Each throws Fault if it is missing or damaged.
  GenerationMeta meta(std::uint64_t number) const;
  Generated load(std::uint64_t number) const;

  // Writes and proves a new generation, in force nowhere yet; returns its number.  Sets
  // meta.number and the counts.  Throws Fault, leaving nothing.
  std::uint64_t write(const Generated& generated, GenerationMeta meta) const;

  // Makes the link lead to the generation.
  void point(const char* link, std::uint64_t number) const;
  // Makes Postfix notice that the maps of the generation are no longer in force.
  void touch_maps(std::uint64_t number) const;
  // Removes what was left unfinished; generations newer than those in force, which were
  // never taken, but for the last; and of the others all but the last kKeep, those in
  // force, their predecessors, and what was in force at `since` and after, of which
  // kKeepMost.
  void prune(Time since) const;

 private:
  const std::filesystem::path state_;
};

}  // namespace mxfeed
