// SPDX-License-Identifier: GPL-2.0-or-later
//
// The protocol between the supervisor and a zygote: the zygote's command line, and
// datagrams on a socket pair.  When the supervisor closes its end, the zygote retires.

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/policy/domain_policy.h"

namespace mxfeed::virus {

// Descriptors that a zygote inherits.
constexpr int kZygoteListener = 3;
constexpr int kZygoteControl = 4;
constexpr int kZygoteBoard = 5;

struct ZygoteTask {
  GatewayPolicy::Virus settings;
  std::filesystem::path scratch;  // the common directory of all processes
  // The number of signatures of the engine in force, if it was loaded from the same
  // place: fewer than half of that count as damage.  0: not checked.
  unsigned former_signatures = 0;
  // Another engine serves meanwhile.
  bool in_background = false;
};

// The command line, argv[0] and "--zygote" included.
std::vector<std::string> to_arguments(const ZygoteTask& task);
// The task of such a command line; nothing if it is malformed.
std::optional<ZygoteTask> parse_zygote_arguments(
    const std::vector<std::string_view>& arguments);

// To the supervisor:
struct StillLoading {
  bool operator==(const StillLoading&) const = default;
};
struct EngineReady {  // tested, and the workers are forked
  unsigned signatures = 0;
  bool reads_rar = false;
  bool operator==(const EngineReady&) const = default;
};
struct LoadFailed {  // the zygote ends
  std::string cause;
  bool operator==(const LoadFailed&) const = default;
};
struct WorkerDied {
  int signal = 0;  // that killed it; 0 if it exited with a status other than 0
  bool operator==(const WorkerDied&) const = default;
};
struct EngineLost {  // a worker did not find the canary; the zygote retires
  bool operator==(const EngineLost&) const = default;
};
using ZygoteReport =
    std::variant<StillLoading, EngineReady, LoadFailed, WorkerDied, EngineLost>;

constexpr std::size_t kMaxZygoteReport = 2048;

// A cause that is too long is cut.
std::string to_string(const ZygoteReport& report);
std::optional<ZygoteReport> parse_zygote_report(std::string_view text);

// To the zygote:
enum class ZygoteOrder {
  retire,  // workers stop after the current scan
  drain,   // workers also serve waiting connections, then stop
  listen,  // a new listener is attached: new workers use it, the old ones drain
};

std::string_view to_string(ZygoteOrder order);
std::optional<ZygoteOrder> parse_zygote_order(std::string_view text);

}  // namespace mxfeed::virus
