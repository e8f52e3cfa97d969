// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/learn_held.h"

#include <fmt/format.h>

#include <array>
#include <exception>
#include <iterator>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/command/owner.h"
#include "milters/spam/commands/attached_messages.h"
#include "milters/spam/commands/open_trainer.h"
#include "milters/spam/commands/stored_message.h"
#include "milters/spam/evidence/evidence.h"
#include "milters/spam/model/trainer.h"

namespace mxfeed::spam {
namespace {

// In one run, so that the model is published now and then.
constexpr std::size_t kMostLessons = 2000;

struct Lesson {
  Sample sample;
  Label label;
  Teacher teacher;
  std::string domain;
};

// What is held, in the form in which it is learned.
struct Lessons {
  std::vector<Lesson> all;
  std::vector<std::int64_t> ids;  // of the messages that they came from
  std::size_t useless = 0;        // reports without an attached message
  std::size_t failed = 0;         // messages that could not be read or judged
};

Sample sample_of(const Sources& all, std::string_view mail) {
  const Message message = stored_message(mail);
  return spam::sample_of(message, judge(all, message));
}

LogFields fields_of(const HeldLesson& held) {
  const bool is_trap = held.address.kind == HeldKind::trap;
  LogFields fields;
  fields.add("event", is_trap ? "trap" : "report");
  if (!is_trap) fields.add("kind", to_string(held.address.kind));
  fields.add("domain", held.address.domain)
      .add("token", held.address.token)
      .add("from", held.sender)
      .add("rcpt", held.address.recipient);
  return fields;
}

void note(const HeldLesson& held, std::size_t samples) {
  LogFields fields = fields_of(held);
  fields.add("messages", samples);
  if (samples == 0) fields.add("reason", "no-attached-message");
  log(samples == 0 ? Severity::notice : Severity::info, fields);
}

void note_failed(const HeldLesson& held, std::string_view fault) {
  LogFields fields = fields_of(held);
  fields.add("id", held.id).add("reason", "not-learned").add("fault", fault);
  log(Severity::warning, fields);
}

std::vector<Lesson> lessons_of(const Sources& sources, const HeldLesson& held) {
  const std::string& domain = held.address.domain;
  if (held.address.kind == HeldKind::trap) {
    return {{sample_of(sources, held.content), Label::spam, Teacher::trap, domain}};
  }
  const Label label =
      held.address.kind == HeldKind::report_ham ? Label::ham : Label::spam;
  std::vector<Lesson> found;
  for (const std::string& mail : attached_messages(held.content)) {
    found.push_back({sample_of(sources, mail), label, Teacher::user, domain});
  }
  return found;
}

void add(const HeldLesson& held, std::vector<Lesson> found, Lessons& lessons) {
  if (found.empty()) ++lessons.useless;
  note(held, found.size());
  lessons.ids.push_back(held.id);
  lessons.all.insert(lessons.all.end(), std::make_move_iterator(found.begin()),
                     std::make_move_iterator(found.end()));
}

// Whether it can be learned.  Whatever is wrong with one message must not keep the others
// from being learned, now and in each later run.
bool take(const Sources& sources, const HeldLesson& held, Lessons& lessons) {
  std::string fault = held.fault;
  std::vector<Lesson> found;
  try {
    if (fault.empty()) found = lessons_of(sources, held);
  } catch (const std::exception& thrown) {
    fault = thrown.what();
  }
  if (!fault.empty()) {
    ++lessons.failed;
    note_failed(held, fault);
    return false;
  }
  add(held, std::move(found), lessons);
  return true;
}

using Changes = std::array<std::size_t, 3>;

Changes learn_all(const Lessons& lessons, const std::filesystem::path& state) {
  Changes changes{};
  if (lessons.all.empty()) return changes;
  const ActingDaemon acting(state, "spam");
  Trainer trainer = wait_for_trainer(state);
  for (const Lesson& one : lessons.all) {
    const auto change =
        trainer.learn(one.sample, one.label, one.teacher, one.domain, system_time());
    ++changes.at(static_cast<std::size_t>(change));
  }
  trainer.publish(system_time());
  return changes;
}

void print(const Arguments& arguments, const Lessons& lessons, const Changes& changes) {
  if (arguments.json()) {
    fmt::print("{}\n", Json::object()
                           .set("held", lessons.ids.size())
                           .set("learned", changes[0])
                           .set("relabelled", changes[1])
                           .set("unchanged", changes[2])
                           .set("without_message", lessons.useless)
                           .set("failed", lessons.failed)
                           .str());
    return;
  }
  fmt::print(
      "learned {}, relabelled {}, unchanged {}; reports without an attached "
      "message: {}; failed: {}\n",
      changes[0], changes[1], changes[2], lessons.useless, lessons.failed);
}

}  // namespace

ExitCode learn_held(const Arguments& arguments, const OpenLessons& open,
                    const Sources& sources) {
  Lessons lessons;
  Changes changes{};
  if (const auto held = open(arguments.state())) {
    held->each(kMostLessons,
               [&](const HeldLesson& one) { return take(sources, one, lessons); });
    changes = learn_all(lessons, arguments.state());
    held->remove(lessons.ids);
  }
  print(arguments, lessons, changes);
  return lessons.failed > 0 ? ExitCode::wrong : ExitCode::fine;
}

}  // namespace mxfeed::spam
