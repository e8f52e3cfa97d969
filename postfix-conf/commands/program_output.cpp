// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/program_output.h"

#include <fmt/format.h>

#include <string_view>

#include "common/base/fault.h"
#include "common/base/process.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr std::size_t kMostSaid = 300;
constexpr std::string_view kKillAfter = "--kill-after=5";
// Of timeout(1): 137 if it had to kill.  124 is also the answer to a silent minute.
constexpr int kTimedOut = 124;
constexpr int kKilled = 137;

ProgramOutput no_output(std::string problem, bool is_slow = false) {
  return {{}, std::move(problem), is_slow};
}

// The first line of what it wrote on standard error.
std::string said(std::string_view errors) {
  errors = trim(errors);
  errors = errors.substr(0, errors.find('\n')).substr(0, kMostSaid);
  return errors.empty() ? std::string() : ": " + escape_line(errors);
}

}  // namespace

ProgramOutput run_program(const std::vector<std::string>& command,
                          const std::vector<std::string>& environment,
                          std::chrono::seconds time, std::size_t most_bytes) {
  // timeout(1) also ends what the program has started.
  std::vector<std::string> argv = {"timeout", std::string(kKillAfter),
                                   std::to_string(time.count()), "env"};
  argv.insert(argv.end(), environment.begin(), environment.end());
  argv.insert(argv.end(), command.begin(), command.end());
  std::string text;
  CommandResult result;
  try {
    result = run_command(argv, "", [&](std::string_view line) {
      if (text.size() + line.size() >= most_bytes) {
        throw Fault("run", argv[0],
                    fmt::format("more than {} MiB of output", most_bytes >> 20));
      }
      text.append(line).append("\n");
    });
  } catch (const Fault& fault) {
    return no_output(std::string(fault.cause()));
  }
  if (result.status == kTimedOut || result.status == kKilled) {
    return no_output(fmt::format("it did not end within {} s", time.count()), true);
  }
  if (result.status != 0) {
    return no_output(fmt::format("exit status {}{}", result.status, said(result.errors)));
  }
  return {std::move(text), {}, false};
}

}  // namespace mxfeed
