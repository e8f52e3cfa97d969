// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/learn.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "common/mail/address.h"
#include "milters/spam/commands/learn_held.h"
#include "milters/spam/commands/mailbox_reader.h"
#include "milters/spam/commands/open_trainer.h"
#include "milters/spam/commands/progress_line.h"
#include "milters/spam/commands/stored_message.h"
#include "milters/spam/model/trainer.h"

namespace mxfeed::spam {
namespace {

// Read before the command becomes the daemon's user, who may not read them.
std::vector<Sample> read_samples(const Arguments& arguments) {
  const Sources all = sources();
  ProgressLine progress;
  std::vector<Sample> samples;
  for (const std::string& operand : arguments.operands()) {
    each_mail(operand, [&](std::string_view mail) {
      const Message message = stored_message(mail);
      samples.push_back(sample_of(message, judge(all, message)));
      progress.show("read", samples.size());
    });
  }
  return samples;
}

Label label_asked(const Arguments& arguments) {
  if (arguments.has("--spam") == arguments.has("--ham")) {
    throw CommandError(ExitCode::usage, "spam learn: give either --spam or --ham");
  }
  return arguments.has("--spam") ? Label::spam : Label::ham;
}

Teacher teacher_asked(const Arguments& arguments) {
  const std::string name = arguments.text("--source").value_or("administrator");
  for (const Teacher teacher : {Teacher::administrator, Teacher::trap, Teacher::user}) {
    if (name == to_string(teacher)) return teacher;
  }
  throw CommandError(ExitCode::usage,
                     fmt::format("--source: \"{}\" is not administrator, trap or user",
                                 escape_untrusted(name)));
}

std::string domain_asked(const Arguments& arguments) {
  const auto name = arguments.text("--domain");
  if (!name) return "";
  const auto domain = Domain::parse(*name);
  if (!domain) {
    throw CommandError(
        ExitCode::usage,
        fmt::format("--domain: \"{}\" is not a domain name", escape_untrusted(*name)));
  }
  return domain->str();
}

std::string_view standing_of_model(const ModelFacts& facts) {
  if (ramp(facts.counts) == 0) return "abstains";
  return may_say_high(facts.reliability) ? "may say high" : "has not proved itself yet";
}

void print_model(const ModelFacts& facts) {
  fmt::print("the model has learned {} ham and {} spam: it {}\n", facts.counts.ham,
             facts.counts.spam, standing_of_model(facts));
}

Json json_of(const ModelFacts& facts) {
  return Json::object()
      .set("ham", facts.counts.ham)
      .set("spam", facts.counts.spam)
      .set("weight", ramp(facts.counts))
      .set("may_say_high", may_say_high(facts.reliability));
}

// What learning was for: that the next one is judged otherwise.
struct Effect {
  std::optional<double> before;
  std::optional<double> after;
};

std::string percent(const std::optional<double>& probability) {
  return probability ? fmt::format("{:.1f} %", 100 * *probability) : "unknown";
}

ExitCode learn(const Arguments& arguments) {
  const Label label = label_asked(arguments);
  const Teacher teacher = teacher_asked(arguments);
  const std::string domain = domain_asked(arguments);
  const std::vector<Sample> samples = read_samples(arguments);
  Trainer trainer = open_trainer(arguments);
  Effect effect;
  if (samples.size() == 1) effect.before = trainer.probability(samples[0].content);
  std::array<std::size_t, 3> changes{};
  ProgressLine progress;
  for (const Sample& sample : samples) {
    const auto change = trainer.learn(sample, label, teacher, domain, system_time());
    ++changes.at(static_cast<std::size_t>(change));
    progress.show("learned", changes[0] + changes[1]);
  }
  const ModelFacts facts = trainer.publish(system_time());
  if (samples.size() == 1) effect.after = trainer.probability(samples[0].content);
  if (arguments.json()) {
    fmt::print("{}\n", Json::object()
                           .set("learned", changes[0])
                           .set("relabelled", changes[1])
                           .set("unchanged", changes[2])
                           .set("before", effect.before)
                           .set("after", effect.after)
                           .set("model", json_of(facts))
                           .str());
    return ExitCode::fine;
  }
  fmt::print("learned {}, relabelled {}, unchanged {}\n", changes[0], changes[1],
             changes[2]);
  if (effect.before || effect.after) {
    fmt::print("spam by its content: {} before, {} now\n", percent(effect.before),
               percent(effect.after));
  }
  print_model(facts);
  return ExitCode::fine;
}

ExitCode forget(const Arguments& arguments) {
  const std::vector<Sample> samples = read_samples(arguments);
  Trainer trainer = open_trainer(arguments);
  std::size_t forgotten = 0;
  for (const Sample& sample : samples) {
    forgotten += trainer.forget(sample.id, system_time()) ? 1 : 0;
  }
  const ModelFacts facts = trainer.publish(system_time());
  if (arguments.json()) {
    fmt::print("{}\n", Json::object()
                           .set("forgotten", forgotten)
                           .set("not_known", samples.size() - forgotten)
                           .set("model", json_of(facts))
                           .str());
    return ExitCode::fine;
  }
  fmt::print("forgot {}, not known {}\n", forgotten, samples.size() - forgotten);
  print_model(facts);
  return ExitCode::fine;
}

constexpr std::string_view kMailsHelp =
    "A mail, a mailbox (mbox), a Maildir or a directory; - is standard input";

ExitCode learn_asked(const Arguments& arguments, const OpenLessons& open) {
  if (!arguments.has("--held")) {
    if (arguments.operands().empty()) {
      throw CommandError(ExitCode::usage, "spam learn: MAILS is missing");
    }
    return retriable(learn, arguments);
  }
  for (const std::string_view other : {"--spam", "--ham", "--source", "--domain"}) {
    if (arguments.has(other) || !arguments.operands().empty()) {
      throw CommandError(ExitCode::usage,
                         "spam learn: --held takes no MAILS, label, source or domain");
    }
  }
  return retriable([&](const Arguments& all) { return learn_held(all, open, sources()); },
                   arguments);
}

}  // namespace

Command learn_command(OpenLessons open) {
  return {"spam learn",
          "Teach the content model from mails that are spam or ham",
          {{"--spam", "", "The mails are spam"},
           {"--ham", "", "The mails are wanted"},
           {"--source", "WHO", "Who says so: administrator, trap or user", Takes::text,
            "administrator"},
           {"--domain", "NAME", "The recipients' domain"},
           {"--held", "", "Learn from what came to traps and addresses for reports"},
           kJson},
          {{"MAILS", kMailsHelp, Takes::file, Operand::Count::any}},
          [open = std::move(open)](const Arguments& arguments) {
            return learn_asked(arguments, open);
          }};
}

Command forget_command() {
  return {"spam forget",
          "Make the content model forget mails",
          {kJson},
          {{"MAILS", kMailsHelp, Takes::file, Operand::Count::at_least_one}},
          [](const Arguments& arguments) { return retriable(forget, arguments); }};
}

}  // namespace mxfeed::spam
