// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "common/command/message_operand.h"
#include "common/mail/date.h"
#include "common/net/sender_field.h"
#include "milters/spam/commands/learn.h"
#include "milters/spam/evidence/evidence.h"
#include "milters/spam/model/live_model.h"
#include "milters/spam/model/trainer.h"
#include "milters/spam/score.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kMaxFile = std::size_t{200} << 20;

// The time of receipt is that of the topmost Received field.
Message message_of(const std::string& file) {
  const std::string content = read_operand(file, kMaxFile);
  Message message = read_message(as_received(content), system_time());
  if (content.size() > kMaxFile) message.whole = false;
  if (const std::string* const received = message.find("Received")) {
    const std::size_t semicolon = received->rfind(';');
    if (semicolon != received->npos) {
      const auto time = parse_date(std::string_view(*received).substr(semicolon + 1));
      if (time) message.received = *time;
    }
  }
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

// The counts for the messages in one directory.
struct Tally {
  std::string directory;
  std::size_t mails = 0;
  std::size_t clean = 0;  // far from any level
  std::array<std::size_t, 4> levels{};
  std::map<std::string_view, std::size_t> evidence;
};

Tally tally(const Sources& sources, const std::string& directory) {
  constexpr double kClean = 0.2;
  Tally result{directory, 0, 0, {}, {}};
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error) {
    throw CommandError(ExitCode::wrong,
                       fmt::format("read directory: {}: {}", escape_untrusted(directory),
                                   error.message()));
  }
  for (const auto& entry : entries) {
    if (!entry.is_regular_file()) continue;
    const std::vector<Evidence> findings = judge(sources, message_of(entry.path()));
    const Score total = score(findings);
    ++result.mails;
    if (total.probability < kClean) ++result.clean;
    ++result.levels[static_cast<std::size_t>(level(total, SpamPolicy{}))];
    for (const Evidence& one : findings) ++result.evidence[one.slug];
  }
  return result;
}

Json json_of(const Tally& one) {
  Json levels = Json::object();
  for (std::size_t i = 0; i < one.levels.size(); ++i) {
    levels.set(to_string(static_cast<SpamLevel>(i)), one.levels[i]);
  }
  Json evidence = Json::object();
  for (const auto& [slug, count] : one.evidence) evidence.set(slug, count);
  return Json::object()
      .set("directory", one.directory)
      .set("mails", one.mails)
      .set("below_0.2", one.clean)
      .set("levels", std::move(levels))
      .set("evidence", std::move(evidence));
}

void print_table(const std::vector<Tally>& all) {
  fmt::print("{:<20} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}\n", "DIRECTORY", "MAILS",
             "P<0.2", "NONE", "LOW", "MED", "HIGH");
  std::map<std::string_view, std::vector<std::size_t>> counts;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& one = all[i];
    const auto name = std::filesystem::path(one.directory).filename().string();
    fmt::print("{:<20} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}\n", escape_untrusted(name),
               one.mails, one.clean, one.levels[0], one.levels[1], one.levels[2],
               one.levels[3]);
    for (const auto& [slug, count] : one.evidence) {
      auto& row = counts[slug];
      row.resize(all.size());
      row[i] = count;
    }
  }
  fmt::print("\n");
  for (const auto& [slug, row] : counts) {
    fmt::print("{:<28}", slug);
    for (const std::size_t count : row) fmt::print(" {:>7}", count);
    fmt::print("\n");
  }
}

ExitCode evaluate(const Arguments& arguments) {
  const Sources all_sources = sources();
  std::vector<Tally> all;
  for (const auto& directory : arguments.operands()) {
    all.push_back(tally(all_sources, directory));
  }
  if (arguments.json()) {
    Json list = Json::list();
    for (const auto& one : all) list.add(json_of(one));
    fmt::print("{}\n", list.str());
  } else {
    print_table(all);
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
      {"spam evaluate",
       "Count the levels and the evidence in directories of messages",
       {kJson},
       {{"DIR", "A directory with one message in each file", Takes::directory,
         Operand::Count::at_least_one}},
       evaluate},
      learn_command(),
      forget_command(),
  };
}

}  // namespace mxfeed::spam
