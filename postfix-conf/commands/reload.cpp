// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/reload.h"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/base/unix_socket.h"
#include "common/program/status.h"
#include "common/program/status_snapshot.h"
#include "postfix-conf/commands/problems.h"

namespace mxfeed {
namespace {

constexpr std::chrono::seconds kPatience{15};

enum class Reloaded {
  not_running,
  done,
  loading,    // will have it when its signatures are loaded
  no_answer,  // no failure for mxfeed-scan, which does not use the policy of domains
  failed,
};

std::string_view to_string(Reloaded state) {
  switch (state) {
    case Reloaded::not_running:
      return "not_running";
    case Reloaded::done:
      return "reloaded";
    case Reloaded::loading:
      return "loading";
    case Reloaded::no_answer:
      return "no_answer";
    case Reloaded::failed:
      return "failed";
  }
  return "";
}

// Makes one daemon reload, and prints its state.
Reloaded reload(const std::filesystem::path& state, std::string_view name,
                std::uint64_t number, const ApplyReport& report) {
  const auto socket = state / name / "status.sock";
  std::error_code error;
  if (!std::filesystem::exists(socket, error)) {
    report.say(fmt::format("{}: not running", name));
    return Reloaded::not_running;
  }
  // mxfeed-scan does not use the policy of domains, and may still be loading signatures.
  const bool is_scan = name == "scan";
  std::string answer;
  try {
    answer = ask_status(socket, "reload", kPatience);
  } catch (const NobodyListens& fault) {
    report.say(fmt::format("{}: not running ({})", name, fault.what()));
    return Reloaded::not_running;
  } catch (const Fault& fault) {
    if (is_scan) {
      report.say(fmt::format("{}: no answer ({})", name, fault.what()));
      return Reloaded::no_answer;
    }
    complain(fmt::format("{}: is running but did not load generation {}: {}", name,
                         number, fault.what()));
    return Reloaded::failed;
  }
  const auto snapshot = StatusSnapshot::parse(answer);
  const auto has = snapshot.find("generation");
  if (has && parse_unsigned(*has) == number) {
    report.say(fmt::format("{}: generation {}", name, number));
    return Reloaded::done;
  }
  if (is_scan) {
    report.say(fmt::format("{}: reloading", name));
    return Reloaded::loading;
  }
  const auto first = std::string_view(answer).substr(0, answer.find('\n'));
  complain(fmt::format("{}: did not load generation {}: {}", name, number,
                       escape_untrusted(has.value_or(first))));
  return Reloaded::failed;
}

}  // namespace

bool reload_daemons(const std::filesystem::path& state, std::uint64_t number,
                    ApplyReport& report) {
  bool good = true;
  Json daemons = Json::object();
  for (const std::string_view name :
       {"greylist", "virus", "spam", "scan", "recipients"}) {
    // Only some sites have it.
    std::error_code error;
    if (name == "recipients" && !std::filesystem::exists(state / name, error)) continue;
    const auto reloaded = reload(state, name, number, report);
    daemons.set(name, to_string(reloaded));
    good = good && reloaded != Reloaded::failed;
  }
  report.set_daemons(std::move(daemons));
  return good;
}

}  // namespace mxfeed
