// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command/exit_code.h"

#include <algorithm>
#include <iterator>

namespace mxfeed {
namespace {

constexpr ExitCode kAll[] = {
    ExitCode::fine,        ExitCode::wrong,      ExitCode::usage,
    ExitCode::unscanned,   ExitCode::open_relay, ExitCode::unsupported_map,
    ExitCode::not_running, ExitCode::differs,    ExitCode::no_configuration,
    ExitCode::try_later};

// Each takes precedence over all that follow.
constexpr ExitCode kWorstFirst[] = {ExitCode::unscanned,       ExitCode::open_relay,
                                    ExitCode::unsupported_map, ExitCode::not_running,
                                    ExitCode::differs,         ExitCode::no_configuration,
                                    ExitCode::usage,           ExitCode::wrong,
                                    ExitCode::try_later,       ExitCode::fine};
static_assert(std::size(kWorstFirst) == std::size(kAll));

}  // namespace

std::span<const ExitCode> all_exit_codes() {
  return kAll;
}

std::string_view describe(ExitCode code) {
  switch (code) {
    case ExitCode::fine:
      return "fine";
    case ExitCode::wrong:
      return "an error, or a problem in the configuration or a message";
    case ExitCode::usage:
      return "wrong usage";
    case ExitCode::unscanned:
      return "mail passes unscanned";
    case ExitCode::open_relay:
      return "the relay is open";
    case ExitCode::unsupported_map:
      return "Postfix does not support the map type";
    case ExitCode::not_running:
      return "a daemon is not running";
    case ExitCode::differs:
      return "something differs from the generation in force";
    case ExitCode::no_configuration:
      return "the configuration directory is missing";
    case ExitCode::try_later:
      return "try again later";
  }
  return "?";
}

ExitCode worse(ExitCode a, ExitCode b) {
  return *std::find_if(std::begin(kWorstFirst), std::end(kWorstFirst),
                       [&](ExitCode code) { return code == a || code == b; });
}

}  // namespace mxfeed
