// SPDX-License-Identifier: GPL-2.0-or-later
//
// The published model that is in force in a daemon, and the evidence that it gives.

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>

#include "common/base/clock.h"
#include "milters/spam/evidence/evidence.h"
#include "milters/spam/model/snapshot.h"

namespace mxfeed::spam {

class LiveModel {
 public:
  // Takes the model in the file if there is one.
  explicit LiveModel(std::filesystem::path file);

  // The model in force; nullptr if there is none.  It stays whole as long as somebody has
  // it.  Thread-safe.
  std::shared_ptr<const Snapshot> get() const;

  // That of the model in force; as it is shipped if there is none.  Thread-safe.
  Combiner combiner() const;

  // Takes the file if it has changed; to be called about once a second, by one thread.  A
  // file that cannot be used leaves the former model in force; that is logged once and
  // counted.
  void refresh();

  // Brings the gauges up to date.
  void update_metrics(Time now) const;

 private:
  // Which file it is: inode and time of change.
  using Stamp = std::pair<std::uint64_t, std::int64_t>;
  void set(std::shared_ptr<const Snapshot> model);

  const std::filesystem::path file_;
  Stamp looked_{};
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> model_;
};

// What the model in force says of the content.
class ModelSource : public EvidenceSource {
 public:
  // The model must outlive it.
  explicit ModelSource(const LiveModel& model) : model_(model) {}
  void judge(const Message& message, Findings& findings) const override;

 private:
  const LiveModel& model_;
};

// The evidence of a model that gives the message this margin (learner.h); nothing if it
// abstains.
std::optional<Evidence> content_evidence(const ModelFacts& facts, double margin);
std::optional<Evidence> content_evidence(const Snapshot& model, const Message& message);

}  // namespace mxfeed::spam
