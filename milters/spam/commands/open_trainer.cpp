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

Trainer locked_trainer(const std::filesystem::path& state) {
  const auto directory = model_directory(state);
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

Trainer wait_for_trainer(const std::filesystem::path& state) {
  Trainer trainer = locked_trainer(state);
  warn_of_damage(trainer);
  return trainer;
}

Trainer open_trainer(const Arguments& arguments) {
  become_daemon(arguments.state(), "spam");
  return wait_for_trainer(arguments.state());
}

ExitCode retriable(const std::function<ExitCode(const Arguments&)>& work,
                   const Arguments& arguments) {
  try {
    return work(arguments);
  } catch (const JournalInUse& fault) {
    throw CommandError(ExitCode::try_later, escape_untrusted(fault.what()));
  }
}

}  // namespace mxfeed::spam
