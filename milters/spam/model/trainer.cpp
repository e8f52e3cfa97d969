// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/trainer.h"

#include <algorithm>
#include <utility>

#include "milters/spam/evidence/groups.h"
#include "milters/spam/model/combiner_fit.h"
#include "milters/spam/model/numeric.h"
#include "milters/spam/model/snapshot.h"

namespace mxfeed::spam {
namespace {

std::filesystem::path made(std::filesystem::path directory) {
  std::filesystem::create_directories(directory);
  return directory;
}

Counts counts_of(const Samples& samples) {
  return {samples.count(Standing::ham), samples.count(Standing::spam)};
}

Standing standing_of(Label label) {
  return label == Label::spam ? Standing::spam : Standing::ham;
}

// What was said of it then, by the weights of today's table.
Arrival arrival_of(const Entry& entry) {
  std::vector<Evidence> found = {{"content", Group::content, entry.arrival}};
  for (const std::string& slug : entry.evidence) {
    if (const Evidence* const row = find_evidence(slug)) found.push_back(*row);
  }
  return {group_sums(found), entry.standing == Standing::spam, entry.domain};
}

}  // namespace

std::filesystem::path model_directory(const std::filesystem::path& state) {
  return state / "spam" / "model";
}

std::filesystem::path model_file(const std::filesystem::path& state) {
  return model_directory(state) / "model";
}

Sample sample_of(const Message& message, const std::vector<Evidence>& evidence) {
  Sample sample{id_of(message), content_of(message), {}};
  for (const Evidence& found : evidence) sample.evidence.emplace_back(found.slug);
  return sample;
}

ModelFacts facts_of(const Samples& samples, Time now) {
  std::vector<const Entry*> predicted;
  for (const auto& [id, entry] : samples.all()) {
    if (!entry.was_judged || entry.version != kFeatureVersion) continue;
    if (entry.standing != Standing::forgotten) predicted.push_back(&entry);
  }
  std::sort(predicted.begin(), predicted.end(), [](const Entry* a, const Entry* b) {
    return std::pair(a->learned, a->id) > std::pair(b->learned, b->id);
  });
  if (predicted.size() > kMostPredictions) predicted.resize(kMostPredictions);
  std::vector<Arrival> arrivals;
  for (const Entry* const entry : predicted) arrivals.push_back(arrival_of(*entry));
  ModelFacts facts = facts_of(counts_of(samples), arrivals);
  facts.made = now;
  return facts;
}

Trainer::Trainer(const std::filesystem::path& directory)
    : directory_(made(directory)), journal_(directory_ / "journal") {
  JournalContent content = journal_.read();
  damaged_ = content.damaged;
  was_cut_ = content.cut;
  stored_ = content.entries.size();
  for (Entry& entry : content.entries) samples_.add(std::move(entry));
  samples_.bound(kMostSamples);
  counts_ = counts_of(samples_);
}

void Trainer::change(Entry entry, Time now) {
  // Later than what was said before, also within a second or if the clock was set back.
  const auto present = static_cast<std::uint64_t>(
      std::chrono::microseconds(now.time_since_epoch()).count());
  entry.changed = std::max(present, entry.changed + 1);
  changes_.push_back(entry);
  samples_.add(std::move(entry));
}

std::optional<double> Trainer::margin(const Content& content) {
  if (std::min(counts_.ham, counts_.spam) < kLeastLearned) return std::nullopt;
  if (!learner_) learner_ = replay_once(samples_.lessons(), 0);
  return content_margin(content, *learner_);
}

std::optional<double> Trainer::probability(const Content& content) {
  const auto logit = margin(content);
  return logit ? std::optional(sigmoid(*logit)) : std::nullopt;
}

Trainer::Change Trainer::learn(const Sample& sample, Label label, Teacher teacher,
                               const std::string& domain, Time now) {
  const Entry* const known = samples_.find(sample.id);
  const Standing standing = standing_of(label);
  if (known != nullptr && known->standing == standing && known->teacher == teacher &&
      known->version == kFeatureVersion) {
    return Change::unchanged;
  }
  Entry entry;
  if (known != nullptr) {
    entry = *known;
  } else {
    entry.id = sample.id;
    entry.learned = now;
    const auto before = margin(sample.content);
    entry.was_judged = before.has_value();
    entry.arrival = before.value_or(0);
  }
  if (known != nullptr) count(known->standing, false);
  count(standing, true);
  entry.standing = standing;
  entry.teacher = teacher;
  entry.domain = domain;
  entry.evidence = sample.evidence;
  entry.version = kFeatureVersion;
  entry.features = sample.content.features;
  const bool is_new = known == nullptr;
  change(std::move(entry), now);
  if (learner_) learner_->learn(sample.content.features, label, rate_of(teacher));
  return is_new ? Change::learned : Change::relabelled;
}

void Trainer::count(Standing standing, bool is_more) {
  if (standing == Standing::forgotten) return;
  std::uint64_t& count = standing == Standing::spam ? counts_.spam : counts_.ham;
  is_more ? ++count : --count;
}

bool Trainer::merge(Entry entry) {
  const Entry* const known = samples_.find(entry.id);
  if (known != nullptr && !is_newer(entry, *known)) return false;
  if (known != nullptr) count(known->standing, false);
  count(entry.standing, true);
  changes_.push_back(entry);
  samples_.add(std::move(entry));
  learner_.reset();
  return true;
}

bool Trainer::forget(const SampleId& id, Time now) {
  const Entry* const known = samples_.find(id);
  if (known == nullptr || known->standing == Standing::forgotten) return false;
  count(known->standing, false);
  Entry entry = *known;
  entry.standing = Standing::forgotten;
  entry.was_judged = false;
  entry.arrival = 0;
  entry.evidence.clear();
  entry.features.clear();
  change(std::move(entry), now);
  learner_.reset();
  return true;
}

ModelFacts Trainer::publish(Time now) {
  journal_.append(changes_);
  stored_ += changes_.size();
  changes_.clear();
  samples_.bound(kMostSamples);
  if (stored_ > 2 * samples_.all().size() + 1000) {
    std::vector<const Entry*> entries;
    for (const auto& [id, entry] : samples_.all()) entries.push_back(&entry);
    journal_.rewrite(entries);
    stored_ = entries.size();
  }
  const ModelFacts facts = facts_of(samples_, now);
  spam::publish(directory_ / "model", facts, replay(samples_.lessons()));
  return facts;
}

}  // namespace mxfeed::spam
