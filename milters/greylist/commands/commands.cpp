// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/commands/commands.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/command/listing.h"
#include "common/command/owner.h"
#include "common/policy/policy_db.h"
#include "milters/greylist/commands/asked.h"
#include "milters/greylist/commands/import.h"
#include "milters/greylist/commands/opened_store.h"
#include "milters/greylist/commands/simulate.h"
#include "milters/greylist/commands/why.h"

namespace mxfeed::greylist {
namespace {

ExitCode list(const Arguments& arguments) {
  std::optional<Domain> wanted;
  if (!arguments.operands().empty()) {
    wanted = Domain::parse(arguments.operands()[0]);
    if (!wanted) {
      throw CommandError(ExitCode::usage,
                         fmt::format("DOMAIN: \"{}\" is not a domain name",
                                     escape_untrusted(arguments.operands()[0])));
    }
  }
  const PolicyDb policy = open_policy(arguments.state());
  with_store(arguments, policy.gateway(), [&](StoreView& store) {
    Listing listing({{"identity", 7},
                     {"whose", 28},
                     {"domain", 28},
                     {"state", 8},
                     {"first_seen", 20},
                     {"last_seen", 20},
                     {"expires", 20},
                     {"passes", 6}},
                    arguments.json());
    const Time now = system_time();
    store.each([&](const Key& key, const Record& record) {
      if (record.expires < now || key.is_second) return;
      if (wanted && !iequals(key.domain, wanted->str())) return;
      listing.row({to_string(key.identity.kind), key.identity.text, key.domain,
                   state_of(key.about), utc(record.first_seen), utc(record.last_seen),
                   utc(record.expires), std::to_string(record.passes)});
    });
  });
  return ExitCode::fine;
}

Deadline soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(5);
}

// Changes what the store has for a sender; prints `done`.
ExitCode change(const Arguments& arguments, const std::string& done,
                const std::function<Decision(const Asked&)>& changes) {
  const Question question = question_of(arguments);
  const PolicyDb policy = open_policy(arguments.state());
  const auto domain = policy.find_own(question.recipient.domain);
  if (!domain) {
    throw CommandError(ExitCode::usage,
                       fmt::format("TO: \"{}\" is not a configured domain",
                                   escape_untrusted(question.recipient.domain)));
  }
  const Asked asked = Asking(question, policy.gateway().greylist).asked(*domain);
  const Decision decision = changes(asked);
  with_writable_store(arguments, policy.gateway(), [&](Store& store) {
    store.update(
        asked.keys, [&](const Look&) { return decision; }, soon());
    store.flush(soon());
  });
  fmt::print("{}: {} {}\n", done, to_string(asked.who.best.kind), asked.who.best.text);
  return ExitCode::fine;
}

// The slots of the client, best identity first.
std::vector<Slot> slots_of(const Asked& asked) {
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < kSlots; ++i) {
    if (!asked.keys.by_slot.at(i).digest.empty()) slots.push_back(static_cast<Slot>(i));
  }
  return slots;
}

ExitCode forget(const Arguments& arguments) {
  return change(arguments, "forgotten", [](const Asked& asked) {
    Decision decision;
    for (const Slot slot : slots_of(asked)) {
      decision.changes.push_back({slot, std::nullopt});
    }
    return decision;
  });
}

ExitCode release(const Arguments& arguments) {
  return change(arguments, "released", [](const Asked& asked) {
    const Time now = system_time();
    Decision decision;
    for (const Slot slot : slots_of(asked)) {
      const About about = asked.keys.at(slot).about;
      if (about == About::waiting) decision.changes.push_back({slot, std::nullopt});
      if (about != About::passed) continue;
      decision.changes.push_back({slot, Record{now, now, now + asked.terms.keep, 1}});
    }
    return decision;
  });
}

ExitCode stats(const Arguments& arguments) {
  const PolicyDb policy = open_policy(arguments.state());
  // By state, then kind of identity.
  std::map<std::pair<About, IdentityKind>, std::uint64_t> counted;
  const Time now = system_time();
  with_store(arguments, policy.gateway(), [&](StoreView& store) {
    store.each([&](const Key& key, const Record& record) {
      if (record.expires < now || key.is_second) return;
      ++counted[{key.about, key.identity.kind}];
    });
  });
  Listing listing({{"state", 8}, {"identity", 8}, {"records", 0}}, arguments.json());
  for (const auto& [what, number] : counted) {
    listing.row({state_of(what.first), to_string(what.second), std::to_string(number)});
  }
  return ExitCode::fine;
}

}  // namespace

std::vector<Command> commands() {
  static const std::vector<Option> kClient = {
      {"--name", "NAME", "The client's name in DNS"},
      {"--helo", "NAME", "The name that the client says"}};
  static const std::vector<Operand> kMessage = {
      {"IP", "The client's address"}, {"FROM", "The sender"}, {"TO", "The recipient"}};
  return {
      {"greylist list",
       "List the senders that greylisting remembers",
       {kJson},
       {{"DOMAIN", "Only senders to this recipient domain", Takes::text,
         Operand::Count::at_most_one}},
       list},
      {"greylist why",
       "Show what greylisting would answer now, and why",
       {kClient[0], kClient[1], kJson},
       kMessage,
       why},
      {"greylist release", "Let a sender in that waits", kClient, kMessage, release},
      {"greylist forget", "Forget a sender, its identity and its host", kClient, kMessage,
       forget},
      {"greylist stats", "Count what greylisting remembers", {kJson}, {}, stats},
      import_command(),
      simulate_command(),
  };
}

}  // namespace mxfeed::greylist
