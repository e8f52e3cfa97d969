// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/zygote_protocol.h"

#include <limits>

#include "common/base/text.h"

namespace mxfeed::virus {
namespace {

constexpr std::string_view kLoading = "loading";
constexpr std::string_view kReady = "ready";
constexpr std::string_view kFailed = "failed ";
constexpr std::string_view kDied = "died";
constexpr std::string_view kLost = "lost";

std::optional<unsigned> parse_small(std::string_view text) {
  const auto number = parse_unsigned(text);
  if (!number || *number > std::numeric_limits<unsigned>::max()) return std::nullopt;
  return static_cast<unsigned>(*number);
}

struct ToString {
  std::string operator()(const StillLoading&) const { return std::string(kLoading); }
  std::string operator()(const EngineReady& ready) const {
    return std::string(kReady) + " " + std::to_string(ready.signatures) + " " +
           (ready.reads_rar ? "1" : "0");
  }
  std::string operator()(const LoadFailed& failed) const {
    return std::string(kFailed) + failed.cause.substr(0, kMaxZygoteReport / 2);
  }
  std::string operator()(const WorkerDied& died) const {
    return std::string(kDied) + " " + std::to_string(died.signal);
  }
  std::string operator()(const EngineLost&) const { return std::string(kLost); }
};

}  // namespace

std::vector<std::string> to_arguments(const ZygoteTask& task) {
  const GatewayPolicy::Virus& s = task.settings;
  return {"mxfeed-scan",         "--zygote",
          "--database",          s.database,
          "--scratch",           task.scratch.string(),
          "--workers",           std::to_string(s.workers),
          "--max-scan-size",     std::to_string(s.max_scan_size),
          "--max-file-size",     std::to_string(s.max_file_size),
          "--max-files",         std::to_string(s.max_files),
          "--max-recursion",     std::to_string(s.max_recursion),
          "--max-scan-seconds",  std::to_string(s.max_scan_time.count()),
          "--former-signatures", std::to_string(task.former_signatures),
          "--in-background",     task.in_background ? "1" : "0"};
}

std::optional<ZygoteTask> parse_zygote_arguments(
    const std::vector<std::string_view>& arguments) {
  if (arguments.size() % 2 != 0) return std::nullopt;
  ZygoteTask task;
  for (std::size_t i = 2; i < arguments.size(); i += 2) {
    const std::string_view option = arguments[i];
    const std::string_view value = arguments[i + 1];
    if (option == "--database") {
      task.settings.database = value;
      continue;
    }
    if (option == "--scratch") {
      task.scratch = value;
      continue;
    }
    const auto number = parse_unsigned(value);
    if (!number) return std::nullopt;
    if (option == "--workers") {
      task.settings.workers = static_cast<unsigned>(*number);
    } else if (option == "--max-scan-size") {
      task.settings.max_scan_size = *number;
    } else if (option == "--max-file-size") {
      task.settings.max_file_size = *number;
    } else if (option == "--max-files") {
      task.settings.max_files = static_cast<unsigned>(*number);
    } else if (option == "--max-recursion") {
      task.settings.max_recursion = static_cast<unsigned>(*number);
    } else if (option == "--max-scan-seconds") {
      task.settings.max_scan_time = std::chrono::seconds(*number);
    } else if (option == "--former-signatures") {
      task.former_signatures = static_cast<unsigned>(*number);
    } else if (option == "--in-background") {
      task.in_background = *number != 0;
    } else {
      return std::nullopt;
    }
  }
  return task;
}

std::string to_string(const ZygoteReport& report) {
  return std::visit(ToString{}, report);
}

std::optional<ZygoteReport> parse_zygote_report(std::string_view text) {
  if (text == kLoading) return StillLoading{};
  if (text == kLost) return EngineLost{};
  if (text.starts_with(kFailed)) {
    return LoadFailed{std::string(text.substr(kFailed.size()))};
  }
  const auto words = split(text, ' ');
  if (words[0] == kReady && words.size() == 3 && (words[2] == "0" || words[2] == "1")) {
    const auto signatures = parse_small(words[1]);
    if (signatures) return EngineReady{*signatures, words[2] == "1"};
  }
  if (words[0] == kDied && words.size() == 2) {
    const auto signal = parse_small(words[1]);
    if (signal && *signal < 128) return WorkerDied{static_cast<int>(*signal)};
  }
  return std::nullopt;
}

std::string_view to_string(ZygoteOrder order) {
  switch (order) {
    case ZygoteOrder::retire:
      return "retire";
    case ZygoteOrder::drain:
      return "drain";
    case ZygoteOrder::listen:
      return "listen";
  }
  return "retire";
}

std::optional<ZygoteOrder> parse_zygote_order(std::string_view text) {
  for (const ZygoteOrder order :
       {ZygoteOrder::retire, ZygoteOrder::drain, ZygoteOrder::listen}) {
    if (text == to_string(order)) return order;
  }
  return std::nullopt;
}

}  // namespace mxfeed::virus
