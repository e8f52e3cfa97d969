// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/open_trainer.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "common/base/text.h"
#include "common/command/listing.h"
#include "common/command/owner.h"

namespace mxfeed::spam {
namespace {

constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::milliseconds kBetween{200};

Trainer wait_for_trainer(const Arguments& arguments) {
  become_daemon(arguments.state(), "spam");
  const auto directory = model_directory(arguments.state());
  for (auto waited = kBetween * 0; waited < kPatience; waited += kBetween) {
    try {
      return Trainer(directory);
    } catch (const JournalInUse&) {
      std::this_thread::sleep_for(kBetween);
    }
  }
  return Trainer(directory);
}

void warn_of_damage(const Trainer& trainer) {
  if (trainer.was_cut()) {
    fmt::print(stderr, "warning: the last entry of the journal was incomplete\n");
  }
  if (trainer.damaged() > 0) {
    fmt::print(stderr, "warning: the journal is damaged at {}\n",
               count_of(trainer.damaged(), "place"));
  }
}

}  // namespace

Trainer open_trainer(const Arguments& arguments) {
  Trainer trainer = wait_for_trainer(arguments);
  warn_of_damage(trainer);
  return trainer;
}

ExitCode retriable(ExitCode (*work)(const Arguments&), const Arguments& arguments) {
  try {
    return work(arguments);
  } catch (const JournalInUse& fault) {
    throw CommandError(ExitCode::try_later, escape_untrusted(fault.what()));
  }
}

}  // namespace mxfeed::spam
