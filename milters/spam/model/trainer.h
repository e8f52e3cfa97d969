// SPDX-License-Identifier: GPL-2.0-or-later
//
// Learns labelled messages into the journal and publishes the model that follows from it.
// The files of a directory:
//   journal       all entries (journal.h)
//   journal.lock  there is one trainer at a time
//   model         the published model (snapshot.h)

#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "milters/spam/evidence/evidence.h"
#include "milters/spam/model/content.h"
#include "milters/spam/model/journal.h"
#include "milters/spam/model/model.h"
#include "milters/spam/model/samples.h"

namespace mxfeed::spam {

// <state>/spam/model
std::filesystem::path model_directory(const std::filesystem::path& state);
std::filesystem::path model_file(const std::filesystem::path& state);

// A message in the form in which it is learned.
struct Sample {
  SampleId id{};
  Content content;
  std::vector<std::string> evidence;  // slugs
};
// `evidence`: what was found besides the content.
Sample sample_of(const Message& message, const std::vector<Evidence>& evidence);

// What follows from the samples besides the weights; of their predictions the newest
// kMostPredictions count.
ModelFacts facts_of(const Samples& samples, Time now);

// One thread at a time.
class Trainer {
 public:
  // Takes the lock and reads the journal.  Throws JournalInUse and other Faults.
  explicit Trainer(const std::filesystem::path& directory);

  enum class Change {
    learned,     // for the first time
    relabelled,  // it had the other label, or had been forgotten
    unchanged
  };
  Change learn(const Sample& sample, Label label, Teacher teacher,
               const std::string& domain, Time now);
  // Takes an entry of another gateway; false if what is known here is newer.
  bool merge(Entry entry);
  // Whether it had been learned.
  bool forget(const SampleId& id, Time now);

  // The probability that the content is spam by what has been learned up to now; nothing
  // below 100 of either class.
  std::optional<double> probability(const Content& content);

  // Stores the changes, learns everything again and publishes it.  Throws Fault; what was
  // published before then stays.
  ModelFacts publish(Time now);

  const Samples& samples() const { return samples_; }
  // What was found when the journal was read.
  std::size_t damaged() const { return damaged_; }
  bool was_cut() const { return was_cut_; }

 private:
  std::optional<double> margin(const Content& content);
  void change(Entry entry, Time now);
  void count(Standing standing, bool is_more);

  const std::filesystem::path directory_;
  Journal journal_;
  Samples samples_;
  std::size_t damaged_ = 0;
  bool was_cut_ = false;
  std::size_t stored_ = 0;          // entries in the journal
  std::vector<Entry> changes_;      // not stored yet
  std::optional<Learner> learner_;  // of the samples, made when it is first asked
  Counts counts_;
};

}  // namespace mxfeed::spam
