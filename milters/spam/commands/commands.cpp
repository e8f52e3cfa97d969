// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/commands.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>

#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "common/command/message_operand.h"
#include "common/net/sender_field.h"
#include "milters/spam/commands/evaluate.h"
#include "milters/spam/commands/learn.h"
#include "milters/spam/commands/stored_message.h"
#include "milters/spam/evidence/evidence.h"
#include "milters/spam/model/live_model.h"
#include "milters/spam/model/trainer.h"
#include "milters/spam/score.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kMaxFile = std::size_t{200} << 20;

Message message_of(const std::string& file) {
  const std::string content = read_operand(file, kMaxFile);
  Message message = stored_message(content);
  if (content.size() > kMaxFile) message.whole = false;
  return message;
}

// What was recorded at reception; nothing in a message that was not received here.
std::optional<std::string> recorded_sender(const Message& message) {
  const std::string* const value = message.find(kSenderField);
  const auto check = value != nullptr ? parse_sender_check(*value) : std::nullopt;
  if (!check) return std::nullopt;
  return compose(*check);
}

double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

// What is known of the published model, and what it says.
struct ModelView {
  std::string description;
  Combiner combiner;
};

Json json_of(const std::string& file, const Message& message,
             const std::vector<Evidence>& findings, const Score& total,
             const ModelView& model) {
  Json evidence = Json::list();
  for (const Evidence& one : findings) {
    evidence.add(Json::object()
                     .set("name", one.slug)
                     .set("group", to_string(one.group))
                     .set("logit", one.logit)
                     .set("weight", rounded(model.combiner.weights[one.group]))
                     .set("proven", one.proven));
  }
  const auto sender = recorded_sender(message);
  return Json::object()
      .set("file", file)
      .set("level", to_string(level(total, SpamPolicy{})))
      .set("probability", rounded(total.probability))
      .set("logit", rounded(total.logit))
      .set("proven", total.proven)
      .set("whole", message.whole)
      .set("mime_anomalies",
           message.anomalies.any() ? Json(message.anomalies.str()) : Json())
      .set("sender", sender ? Json(*sender) : Json())
      .set("model", model.description)
      .set("bias", rounded(model.combiner.bias))
      .set("evidence", std::move(evidence));
}

void print_table(const Message& message, const std::vector<Evidence>& findings,
                 const Score& total, const ModelView& model) {
  const auto row = [](std::string_view name, std::string_view group, double logit,
                      double here, std::string_view note) {
    fmt::print("{:<28} {:<12} {:>6.2f} {:>6.2f}{}\n", name, group, logit, here, note);
  };
  fmt::print("{:<28} {:<12} {:>6} {:>6}\n", "EVIDENCE", "GROUP", "LOGIT", "HERE");
  row("(no evidence)", "", kBias, model.combiner.bias, "");
  for (const Evidence& one : findings) {
    row(one.slug, to_string(one.group), one.logit,
        model.combiner.weights[one.group] * one.logit, one.proven ? "  proven" : "");
  }
  fmt::print("content model: {}\n", escape_untrusted(model.description));
  if (message.anomalies.any()) {
    fmt::print("MIME anomalies: {}\n", escape_untrusted(message.anomalies.str()));
  }
  if (const auto sender = recorded_sender(message)) {
    fmt::print("sender, as recorded at reception: {} (no evidence)\n", *sender);
  }
  if (!message.whole)
    fmt::print("The message exceeds the limits; only its first part was examined.\n");
  fmt::print("sum {:.2f} after limits for each group, p={:.3f}, level {}\n", total.logit,
             total.probability, to_string(level(total, SpamPolicy{})));
}

// Adds what the published model says of the content; why it says nothing, or how much its
// word counts.
ModelView add_content(const Arguments& arguments, const Message& message,
                      std::vector<Evidence>& findings) {
  try {
    const auto model = Snapshot::open(model_file(arguments.state()));
    if (model == nullptr) return {"none yet (mxfeed spam learn)", {}};
    const Combiner& combiner = model->facts().combiner;
    const Counts& counts = model->facts().counts;
    const auto found = content_evidence(*model, message);
    if (!found) {
      return {fmt::format("abstains: has learned {} ham and {} spam, needs {} of each",
                          counts.ham, counts.spam, kLeastLearned + 1),
              combiner};
    }
    findings.push_back(*found);
    return {fmt::format("has learned {} ham and {} spam, counts {:.0f} %, {}", counts.ham,
                        counts.spam, 100 * ramp(counts),
                        found->alone == Alone::high ? "may say high alone"
                                                    : "has not proved itself yet"),
            combiner};
  } catch (const Fault& fault) {
    return {fault.what(), {}};
  }
}

ExitCode explain(const Arguments& arguments) {
  const std::string& file = arguments.operands()[0];
  const Message message = message_of(file);
  std::vector<Evidence> findings = judge(sources(), message);
  const ModelView model = add_content(arguments, message, findings);
  const Score total = score(findings, model.combiner);
  if (arguments.json()) {
    fmt::print("{}\n", json_of(file, message, findings, total, model).str());
  } else {
    print_table(message, findings, total, model);
  }
  return ExitCode::fine;
}

}  // namespace

std::vector<Command> commands() {
  return {
      {"spam explain",
       "Show the evidence in a message, its spam probability and level",
       {kJson},
       {{"FILE", "The message; - is standard input", Takes::file}},
       explain},
      evaluate_command(),
      learn_command(),
      forget_command(),
  };
}

}  // namespace mxfeed::spam
