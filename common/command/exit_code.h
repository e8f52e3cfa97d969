// SPDX-License-Identifier: GPL-2.0-or-later
//
// The exit codes of `mxfeed`, the same for all commands.

#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mxfeed {

enum class ExitCode {
  fine = 0,
  wrong = 1,  // something is wrong with the subject
  usage = 2,
  // Dangerous states, the worst first.
  unscanned = 3,
  open_relay = 4,
  unsupported_map = 5,
  not_running = 6,
  differs = 7,
  no_configuration = 8,
  try_later = 75,  // EX_TEMPFAIL of sysexits.h
};

// All of them, in ascending order.
std::span<const ExitCode> all_exit_codes();

// "mail passes unscanned": for --help, and as the start of a warning line.
std::string_view describe(ExitCode code);

// The one of the two to exit with: a dangerous state takes precedence over everything
// else.
ExitCode worse(ExitCode a, ExitCode b);

// Ends a command: the text is printed for the operator on standard error.
class CommandError : public std::runtime_error {
 public:
  CommandError(ExitCode code, const std::string& text)
      : std::runtime_error(text), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

}  // namespace mxfeed
