// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/commands.h"

#include <utility>

#include "milters/spam/commands/evaluate.h"
#include "milters/spam/commands/exchange.h"
#include "milters/spam/commands/explain.h"
#include "milters/spam/commands/learn.h"

namespace mxfeed::spam {

std::vector<Command> commands(OpenLessons open) {
  return {
      explain_command(), evaluate_command(), learn_command(std::move(open)),
      forget_command(),  exchange_command(), merge_command(),
  };
}

}  // namespace mxfeed::spam
