// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/exchange.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "common/policy/policy_db.h"
#include "common/program/redis_options.h"
#include "milters/spam/commands/open_trainer.h"
#include "milters/spam/model/exchange.h"

namespace mxfeed::spam {
namespace {

constexpr const char* kFile = "exchange";  // beside the journal

void print(const Arguments& arguments, const Exchange::Outcome& outcome) {
  if (arguments.json()) {
    fmt::print("{}\n", Json::object()
                           .set("received", outcome.received)
                           .set("sent", outcome.sent)
                           .set("damaged", outcome.damaged)
                           .str());
    return;
  }
  fmt::print("received {}, sent {}\n", outcome.received, outcome.sent);
  if (outcome.damaged > 0) {
    fmt::print(stderr, "warning: what was learned there is damaged at {}\n",
               count_of(outcome.damaged, "place"));
  }
}

ExitCode exchange(const Arguments& arguments) {
  const GatewayPolicy gateway = open_policy(arguments.state()).gateway();
  const auto options = redis_options(gateway.redis);
  if (!options) {
    fmt::print("no [redis] in mxfeed.toml: nothing to exchange\n");
    return ExitCode::fine;
  }
  Redis redis(*options);
  // The daemon's user may not be able to read the password: this connection is kept.
  const std::string_view words[] = {"PING"};
  redis.run("", words, std::chrono::steady_clock::now() + Exchange::kPatience);
  Trainer trainer = open_trainer(arguments);
  Exchange exchange(redis, gateway.redis.prefix,
                    model_directory(arguments.state()) / kFile);
  const Exchange::Outcome outcome = exchange.run(trainer);
  if (outcome.received > 0) trainer.publish(system_time());
  exchange.keep();
  print(arguments, outcome);
  return ExitCode::fine;
}

// Read before the command becomes the daemon's user, who may not read them.
std::vector<JournalContent> read_journals(const Arguments& arguments) {
  std::vector<JournalContent> all;
  for (const std::string& name : arguments.operands()) {
    const auto bytes = read_regular_file(name);
    if (!bytes) throw Fault("read", name, "no such file");
    all.push_back(parse_journal(*bytes));
    if (all.back().entries.empty())
      throw Fault("read", name, "no journal, or an empty one");
  }
  return all;
}

ExitCode merge(const Arguments& arguments) {
  std::vector<JournalContent> journals = read_journals(arguments);
  Trainer trainer = open_trainer(arguments);
  Exchange::Outcome outcome;
  for (JournalContent& journal : journals) {
    outcome.damaged += journal.damaged;
    for (Entry& entry : journal.entries) {
      if (trainer.merge(std::move(entry))) ++outcome.received;
    }
  }
  if (outcome.received > 0) trainer.publish(system_time());
  print(arguments, outcome);
  return ExitCode::fine;
}

}  // namespace

Command exchange_command() {
  return {"spam exchange",
          "Exchange what was learned with other gateways, through Redis",
          {kJson},
          {},
          [](const Arguments& arguments) { return retriable(exchange, arguments); }};
}

Command merge_command() {
  return {"spam merge",
          "Take what other gateways have learned from copies of their journals",
          {kJson},
          {{"JOURNAL", "The file spam/model/journal of another gateway", Takes::file,
            Operand::Count::at_least_one}},
          [](const Arguments& arguments) { return retriable(merge, arguments); }};
}

}  // namespace mxfeed::spam
