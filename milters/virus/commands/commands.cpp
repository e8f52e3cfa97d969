// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/commands/commands.h"

#include <fmt/format.h>

#include <chrono>
#include <string>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/command/daemon_status.h"
#include "common/command/message_operand.h"
#include "common/command/owner.h"
#include "common/policy/policy_db.h"
#include "milters/virus/decision.h"
#include "milters/virus/protocol/client.h"

namespace mxfeed::virus {
namespace {

constexpr std::chrono::seconds kQueueTime{15};

ScanResult ask(const Arguments& arguments) {
  // The file is read as the operator who named it, everything else as the daemon's user.
  const std::string mail =
      as_received(read_operand(arguments.operands()[0], kMaxMessage));
  const auto patience =
      open_policy(arguments.state()).gateway().virus.max_scan_time + kQueueTime;
  become_daemon(arguments.state(), "scan");
  MessageFile message(system_time());
  if (message.size() + mail.size() > kMaxMessage) {
    return {ScanVerdict::unscannable, "MessageSize"};
  }
  try {
    message.add(mail);
    return ScanClient(arguments.state() / "scan" / "scan.sock")
        .scan(
            message, true, patience, [] {}, [] { return true; });
  } catch (const Fault& fault) {
    throw CommandError(ExitCode::try_later, escape_untrusted(fault.what()));
  }
}

Json attachments_json(const ScanResult& result) {
  if (!result.attachments) return {};
  Json kinds = Json::list();
  for (const AttachmentKind kind : kAttachmentKinds) {
    if (result.attachments->kinds.has(kind)) kinds.add(to_string(kind));
  }
  Json suffixes = Json::list();
  for (const std::string& suffix : result.attachments->suffixes) suffixes.add(suffix);
  return Json::object().set("kinds", kinds).set("suffixes", suffixes);
}

// " [program script .exe .js]", or nothing.
std::string attachments_text(const ScanResult& result) {
  std::string words;
  if (!result.attachments) return words;
  const auto add = [&](std::string_view word) {
    words.append(words.empty() ? " [" : " ").append(word);
  };
  for (const AttachmentKind kind : kAttachmentKinds) {
    if (result.attachments->kinds.has(kind)) add(to_string(kind));
  }
  for (const std::string& suffix : result.attachments->suffixes) add(suffix);
  return words.empty() ? words : words + "]";
}

ExitCode scan(const Arguments& arguments) {
  const std::string& file = arguments.operands()[0];
  const ScanResult result = ask(arguments);
  const std::string name = result.name.empty() ? "" : plain_name(result.name);
  if (arguments.json()) {
    const Json json = Json::object()
                          .set("file", file)
                          .set("result", to_string(result.verdict))
                          .set("name", name.empty() ? Json() : Json(name))
                          .set("parts_fed", result.parts_fed)
                          .set("signatures", result.signatures)
                          .set("attachments", attachments_json(result));
    fmt::print("{}\n", json.str());
  } else {
    fmt::print("{}: {}{}{}{}\n", escape_untrusted(file), to_string(result.verdict),
               name.empty() ? "" : " ", name, attachments_text(result));
  }
  if (result.verdict == ScanVerdict::error) return ExitCode::try_later;
  return result.verdict == ScanVerdict::clean ? ExitCode::fine : ExitCode::wrong;
}

ExitCode status(const Arguments& arguments) {
  ExitCode code = ExitCode::fine;
  Json all = Json::list();
  std::string text;
  for (const char* const daemon : {"virus", "scan"}) {
    const DaemonStatus found = ask_daemon(arguments.state(), daemon);
    if (!found.serves()) code = ExitCode::not_running;
    all.add(found.json());
    text += (text.empty() ? "" : "\n") + found.text();
  }
  fmt::print("{}", arguments.json() ? all.str() + "\n" : text);
  return code;
}

}  // namespace

std::vector<Command> commands() {
  return {
      {"virus scan",
       "Scan a message with the running scan service and the settings in force",
       {kJson},
       {{"FILE", "The message; - is standard input", Takes::file}},
       scan},
      {"virus status",
       "Show the state of mxfeed-virus and mxfeed-scan",
       {kJson},
       {},
       status},
  };
}

}  // namespace mxfeed::virus
