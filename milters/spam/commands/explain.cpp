// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/explain.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/command/message_operand.h"
#include "common/policy/policy_db.h"
#include "milters/spam/commands/lists_view.h"
#include "milters/spam/commands/recorded.h"
#include "milters/spam/commands/stored_message.h"
#include "milters/spam/evidence/evidence.h"
#include "milters/spam/model/live_model.h"
#include "milters/spam/model/trainer.h"
#include "milters/spam/score.h"

namespace mxfeed::spam {
namespace {

constexpr Option kNoDns = {"--no-dns", "", "Ask no DNS list"};

constexpr std::size_t kMaxFile = std::size_t{200} << 20;

Message message_of(const std::string& file) {
  const std::string content = read_operand(file, kMaxFile);
  Message message = stored_message(content);
  if (content.size() > kMaxFile) message.whole = false;
  return message;
}

// What is known of the published model, and what it says.
struct ModelView {
  std::string description;
  Combiner combiner;
};

// What a message is found to be, and why.
struct Judgement {
  std::vector<Evidence> findings;
  Score total;
  ModelView model;
  std::string authentication;  // what there is to say of the verifiers
  ListsView lists;
};

double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

Json json_of(const std::string& file, const Message& message,
             const Judgement& judgement) {
  const Score& total = judgement.total;
  const ModelView& model = judgement.model;
  Json evidence = Json::list();
  for (const Evidence& one : judgement.findings) {
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
      .set("sender", sender ? Json(compose(*sender)) : Json())
      .set("authentication", judgement.authentication)
      .set("lists", json_of(judgement.lists))
      .set("lists_note", judgement.lists.note)
      .set("model", model.description)
      .set("bias", rounded(model.combiner.bias))
      .set("evidence", std::move(evidence));
}

void print_table(const Message& message, const Judgement& judgement) {
  const Score& total = judgement.total;
  const ModelView& model = judgement.model;
  const auto row = [](std::string_view name, std::string_view group, double logit,
                      double here, std::string_view note) {
    fmt::print("{:<28} {:<12} {:>6.2f} {:>6.2f}{}\n", name, group, logit, here, note);
  };
  fmt::print("{:<28} {:<12} {:>6} {:>6}\n", "EVIDENCE", "GROUP", "LOGIT", "HERE");
  row("(no evidence)", "", kBias, model.combiner.bias, "");
  for (const Evidence& one : judgement.findings) {
    row(one.slug, to_string(one.group), one.logit,
        model.combiner.weights[one.group] * one.logit, one.proven ? "  proven" : "");
  }
  fmt::print("{}", lines_of(judgement.lists));
  fmt::print("content model: {}\n", escape_untrusted(model.description));
  fmt::print("authentication: {}\n", escape_untrusted(judgement.authentication));
  if (message.anomalies.any()) {
    fmt::print("MIME anomalies: {}\n", escape_untrusted(message.anomalies.str()));
  }
  if (const auto sender = recorded_sender(message)) {
    fmt::print("sender, as recorded at reception: {}\n", compose(*sender));
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

// Without a policy there are neither verifiers nor lists.
GatewayPolicy gateway_in_force(const std::filesystem::path& state) {
  try {
    return open_policy(state).gateway();
  } catch (const Fault&) {
    return {};
  }
}

// Adds what was found out about the sender when the message was received; what that was.
std::string add_authentication(const GatewayPolicy::Spam& spam, const Message& message,
                               std::vector<Evidence>& findings) {
  const Authentication authentication = recorded_authentication(message, spam);
  const auto sender = recorded_sender(message);
  const auto found = evidence_of(authentication, sender ? sender->spf : std::nullopt);
  findings.insert(findings.end(), found.begin(), found.end());
  if (!authentication.has_verifier) {
    return "only our own SPF check; no authserv_id names a verifier";
  }
  const std::string text = authentication.str();
  return text.empty() ? "no results of a verifier" : text;
}

// Adds what the lists of the gateway say now.
ListsView add_lists(const Arguments& arguments, const GatewayPolicy& gateway,
                    const Message& message, std::vector<Evidence>& findings) {
  if (arguments.has(kNoDns.name)) return {"not asked: --no-dns", {}, {}};
  ListsView lists = ask_lists(message, gateway);
  findings.insert(findings.end(), lists.evidence.begin(), lists.evidence.end());
  return lists;
}

ExitCode explain(const Arguments& arguments) {
  const std::string& file = arguments.operands()[0];
  const Message message = message_of(file);
  const GatewayPolicy gateway = gateway_in_force(arguments.state());
  Judgement judgement{judge(sources(), message), {}, {}, {}, {}};
  judgement.lists = add_lists(arguments, gateway, message, judgement.findings);
  judgement.model = add_content(arguments, message, judgement.findings);
  judgement.authentication =
      add_authentication(gateway.spam, message, judgement.findings);
  judgement.total = score(judgement.findings, judgement.model.combiner);
  if (arguments.json()) {
    fmt::print("{}\n", json_of(file, message, judgement).str());
  } else {
    print_table(message, judgement);
  }
  return ExitCode::fine;
}

}  // namespace

Command explain_command() {
  return {"spam explain",
          "Show the evidence in a message, its spam probability and level",
          {kNoDns, kJson},
          {{"FILE", "The message; - is standard input", Takes::file}},
          explain};
}

}  // namespace mxfeed::spam
