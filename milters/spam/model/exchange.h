// SPDX-License-Identifier: GPL-2.0-or-later
//
// What gateways tell each other of what they learned: entries of their journals, in a
// stream of Redis.  All end with the same entries, and so with the same weights.

#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include "common/store/redis.h"
#include "milters/spam/model/trainer.h"

namespace mxfeed::spam {

class Exchange {
 public:
  // Older entries than the last kMostShared leave the stream: who was away longer takes
  // the journal of another gateway (Trainer::merge).
  static constexpr std::size_t kMostShared = 100'000;
  static constexpr std::chrono::seconds kPatience{10};  // for one command

  struct Outcome {
    std::size_t received = 0;  // entries that are news here
    std::size_t sent = 0;
    std::size_t damaged = 0;  // entries in the stream that nobody can read
  };

  // `prefix` is that of all keys.  `file` keeps what has been exchanged; without it
  // everything is told again, which does no harm.
  Exchange(Redis& redis, const std::string& prefix, std::filesystem::path file);

  // Takes what is new in the stream, and adds what is new here.  Throws Fault.
  Outcome run(Trainer& trainer);
  // Notes how far that went.  To be called once the trainer has published: what is not in
  // its journal must come again.  Throws Fault.
  void keep() const;

 private:
  // Which entry: a later one of the same message is another.
  using Mark = std::pair<SampleId, std::uint64_t>;

  void load();
  void receive(Trainer& trainer, Outcome& outcome);
  void send(const Trainer& trainer, Outcome& outcome);

  Redis& redis_;
  const std::string key_;
  const std::filesystem::path file_;
  std::string position_ = "0-0";  // in the stream, up to which it was read
  std::set<Mark> shared_;
};

}  // namespace mxfeed::spam
