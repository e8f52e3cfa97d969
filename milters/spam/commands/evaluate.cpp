// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "milters/spam/commands/evaluation.h"
#include "milters/spam/commands/evaluation_plot.h"
#include "milters/spam/commands/mailbox_reader.h"
#include "milters/spam/commands/progress_line.h"
#include "milters/spam/commands/stored_message.h"
#include "milters/spam/model/live_model.h"
#include "milters/spam/model/progress.h"
#include "milters/spam/model/trainer.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kFolds = 5;

struct Mail {
  SampleId id{};
  Content content;
  std::vector<Evidence> findings;  // without the content
  Label label = Label::ham;

  std::size_t fold() const { return id.back() % kFolds; }
};

struct Corpus {
  std::optional<std::string> ham;
  std::optional<std::string> spam;
};

Corpus corpus_asked(const Arguments& arguments) {
  const Corpus named{arguments.text("--ham-mails"), arguments.text("--spam-mails")};
  const bool is_named = named.ham || named.spam;
  if (is_named != arguments.operands().empty()) {
    throw CommandError(
        ExitCode::usage,
        "spam evaluate: give either CORPUS or --ham-mails and --spam-mails");
  }
  if (is_named) return named;
  const std::filesystem::path directory = arguments.operands()[0];
  return {directory / "ham", directory / "spam"};
}

// Of copies of a mail the first one counts.
std::vector<Mail> read_mails(const Corpus& corpus) {
  const Sources all = sources();
  ProgressLine progress;
  std::vector<Mail> mails;
  std::set<SampleId> known;
  const auto read = [&](const std::string& place, Label label) {
    each_mail(place, [&](std::string_view text) {
      const Message message = stored_message(text);
      const SampleId id = id_of(message);
      if (!known.insert(id).second) return;
      mails.push_back({id, content_of(message), judge(all, message), label});
      progress.show("read", mails.size());
    });
  };
  if (corpus.ham) read(*corpus.ham, Label::ham);
  if (corpus.spam) read(*corpus.spam, Label::spam);
  return mails;
}

// What the milter would say with the model, if there is one.
void judge_mail(const Mail& mail, const ModelFacts& facts, std::span<const float> weights,
                Evaluation& evaluation) {
  std::vector<Evidence> findings = mail.findings;
  if (!weights.empty()) {
    const auto content = content_evidence(facts, content_margin(mail.content, weights));
    if (content) findings.push_back(*content);
  }
  evaluation.add(score(findings, facts.combiner), findings, mail.label == Label::spam);
}

Evaluation by_published_model(const std::vector<Mail>& mails,
                              const std::filesystem::path& state) {
  const auto model = Snapshot::open(model_file(state));
  Evaluation evaluation;
  for (const Mail& mail : mails) {
    judge_mail(mail, model ? model->facts() : ModelFacts{},
               model ? model->weights() : std::span<const float>{}, evaluation);
  }
  return evaluation;
}

// Each fifth is judged by a model that learned the other four.
Evaluation by_cross_validation(const std::vector<Mail>& mails) {
  Evaluation evaluation;
  ProgressLine progress;
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    std::vector<MailLesson> lessons;
    for (const Mail& mail : mails) {
      if (mail.fold() == fold) continue;
      lessons.push_back(
          {mail.id, mail.label, Rate{}, &mail.content, group_sums(mail.findings)});
    }
    const TaughtModel model = teach(lessons);
    for (const Mail& mail : mails) {
      if (mail.fold() != fold) continue;
      judge_mail(mail, model.facts, model.weights, evaluation);
      progress.show("judged", evaluation.judged().size());
    }
  }
  return evaluation;
}

ExitCode evaluate(const Arguments& arguments) {
  const std::vector<Mail> mails = read_mails(corpus_asked(arguments));
  const Evaluation evaluation = arguments.has("--cross-validate")
                                    ? by_cross_validation(mails)
                                    : by_published_model(mails, arguments.state());
  if (const auto file = arguments.text("--plot")) {
    write_file(*file, plot(evaluation.judged()));
  }
  if (arguments.json()) {
    fmt::print("{}\n", evaluation.json().str());
  } else {
    fmt::print("{}", evaluation.table());
  }
  return ExitCode::fine;
}

}  // namespace

Command evaluate_command() {
  return {
      "spam evaluate",
      "Measure the classification of mails that are known to be spam or ham",
      {{"--ham-mails", "MAILS", "Wanted mails, in place of CORPUS", Takes::file},
       {"--spam-mails", "MAILS", "Spam, in place of CORPUS", Takes::file},
       {"--cross-validate", "",
        "Judge each fifth by a model that learns the others, not by the published one"},
       {"--plot", "FILE", "Draw the result to an SVG file", Takes::file},
       kJson},
      {{"CORPUS", "A directory with the mails in ham and spam", Takes::directory,
        Operand::Count::at_most_one}},
      evaluate};
}

}  // namespace mxfeed::spam
