// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/live_model.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <string_view>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "milters/spam/model/content.h"

namespace mxfeed::spam {
namespace {

constexpr std::string_view kLevelNames[] = {"none", "low", "med", "high"};

void count_load(const char* result) {
  counter("mxfeed_spam_model_loads_total", fmt::format(R"(result="{}")", result)).add();
}

}  // namespace

LiveModel::LiveModel(std::filesystem::path file) : file_(std::move(file)) {
  refresh();
}

std::shared_ptr<const Snapshot> LiveModel::get() const {
  const std::lock_guard lock(mutex_);
  return model_;
}

Combiner LiveModel::combiner() const {
  const auto model = get();
  return model ? model->facts().combiner : Combiner{};
}

void LiveModel::set(std::shared_ptr<const Snapshot> model) {
  const std::lock_guard lock(mutex_);
  model_.swap(model);
  // The former one is unmapped by whoever has it last.
}

void LiveModel::refresh() {
  struct stat status {};
  Stamp stamp{};
  if (::stat(file_.c_str(), &status) == 0) {
    stamp = {status.st_ino, std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 +
                                status.st_mtim.tv_nsec};
  }
  if (stamp == looked_) return;
  looked_ = stamp;
  try {
    set(Snapshot::open(file_));
    count_load("done");
    log(Severity::info, LogFields().add("event", "model").add("loaded", file_.string()));
  } catch (const Fault& fault) {
    count_load("fault");
    log(Severity::error, LogFields().add("event", "model").add("fault", fault.what()));
  }
}

void LiveModel::update_metrics(Time now) const {
  const auto model = get();
  const ModelFacts facts = model ? model->facts() : ModelFacts{};
  gauge("mxfeed_spam_model_learned", R"(label="ham")").set(facts.counts.ham);
  gauge("mxfeed_spam_model_learned", R"(label="spam")").set(facts.counts.spam);
  gauge("mxfeed_spam_model_mature").set(may_say_high(facts.reliability) ? 1 : 0);
  const auto age = model && now > facts.made ? (now - facts.made).count() : 0;
  gauge("mxfeed_spam_model_age_seconds").set(static_cast<std::uint64_t>(age));
  for (std::size_t i = 0; i < facts.reliability.rows().size(); ++i) {
    const Reliability::Row& row = facts.reliability.rows().at(i);
    for (const auto& [label, count] : {std::pair("ham", row.ham), {"spam", row.spam}}) {
      gauge("mxfeed_spam_model_predictions",
            fmt::format(R"(level="{}",label="{}")", kLevelNames[i], label))
          .set(count);
    }
  }
}

std::optional<Evidence> content_evidence(const Snapshot& model, const Message& message) {
  return content_evidence(model.facts(),
                          content_margin(content_of(message), model.weights()));
}

std::optional<Evidence> content_evidence(const ModelFacts& facts, double margin) {
  const auto said = opinion(facts, margin);
  if (!said) return std::nullopt;
  return Evidence{"content", Group::content, said->logit, false,
                  said->is_mature ? Alone::high : Alone::med};
}

void ModelSource::judge(const Message& message, Findings& findings) const {
  const auto model = model_.get();
  if (model == nullptr) return;
  if (const auto found = content_evidence(*model, message)) {
    findings.add(*found);
  } else {
    static Metric& abstained = counter("mxfeed_spam_model_abstained_total");
    abstained.add();
  }
}

}  // namespace mxfeed::spam
