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
//
// A generation has policy.cdb; relay_domains and transport, each with its .cdb; main.cf
// and master.cf (lines to be set); attach.sh; domains.tsv (what is hosted); meta.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "postfix-conf/generate/compile.h"

namespace mxfeed {

struct GenerationMeta {
  std::uint64_t number = 0;
  Time written;
  std::string config;          // digest of the configuration, or of the one gone back to
  std::uint64_t previous = 0;  // the one in force before; 0: none
  std::uint64_t copy_of = 0;   // by rollback; 0: it was compiled
  std::size_t domains = 0;     // relayed
  std::size_t removed = 0;     // kept until their queue is empty
};

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

  // The generation that the link leads to; nothing if there is none.
  std::optional<std::uint64_t> number_of(const char* link) const;
  // Rising; what is no whole generation is left out.
  std::vector<GenerationMeta> list() const;
  // Throws Fault if it is missing or damaged.
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
  void prove(const std::filesystem::path& directory, const Generated& generated,
             std::uint64_t number) const;

  const std::filesystem::path state_;
};

}  // namespace mxfeed
