// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/commands/commands.h"

#include <getopt.h>
#include <sysexits.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/policy/policy_db.h"
#include "common/program/status.h"
#include "milters/virus/decision.h"
#include "milters/virus/protocol/client.h"

#include <fmt/format.h>

namespace mxfeed::virus {
namespace {

constexpr std::chrono::seconds kQueueTime{15};

struct Options {
  std::filesystem::path state = "/var/lib/mxfeed";
  bool json = false;
  std::vector<std::string> operands;
};

std::optional<Options> parse(int argc, char** argv) {
  const option known[] = {{"state", required_argument, nullptr, 'd'},
                          {"json", no_argument, nullptr, 'j'},
                          {nullptr, 0, nullptr, 0}};
  Options options;
  optind = 0;
  for (int found; (found = ::getopt_long(argc, argv, "", known, nullptr)) != -1;) {
    switch (found) {
      case 'd':
        options.state = optarg;
        break;
      case 'j':
        options.json = true;
        break;
      default:
        return std::nullopt;
    }
  }
  for (int i = optind; i < argc; ++i) options.operands.emplace_back(argv[i]);
  return options;
}

std::string json_string(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    const bool plain = static_cast<unsigned char>(c) >= ' ';
    json += plain ? std::string(1, c)
                  : fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
  }
  return json + '"';
}

void load(const std::string& file, MessageFile& message) {
  std::FILE* const from = file == "-" ? stdin : std::fopen(file.c_str(), "rbe");
  if (from == nullptr) throw Fault("read", file, errno_text(errno));
  std::string buffer(std::size_t{64} * 1024, '\0');
  for (std::size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), from)) > 0;) {
    message.add(std::string_view(buffer).substr(0, got));
    if (message.size() > kMaxMessage) break;
  }
  const bool broken = std::ferror(from) != 0;
  if (from != stdin) std::fclose(from);
  if (broken) throw Fault("read", file, "input error");
}

ScanResult ask(const Options& options, const std::string& file) {
  const LivePolicy policy(options.state);
  MessageFile message(system_time());
  load(file, message);
  if (message.size() > kMaxMessage) {
    return {ScanVerdict::unscannable, "MessageSize"};
  }
  const ScanClient client(options.state / "scan" / "scan.sock");
  return client.scan(message, policy.get()->gateway().virus.max_scan_time + kQueueTime,
                     [] {});
}

// "key: value" lines as a JSON object.
std::string to_json(std::string_view lines) {
  std::string json = "{";
  for (const std::string_view line : split(lines, '\n')) {
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    if (json.size() > 1) json += ", ";
    json +=
        json_string(line.substr(0, colon)) + ": " + json_string(line.substr(colon + 2));
  }
  return json + "}";
}

}  // namespace

int scan_command(int argc, char** argv) {
  const auto options = parse(argc, argv);
  if (!options || options->operands.size() != 1) {
    fmt::print(stderr, "usage: mxfeed-virus scan FILE [--state DIR] [--json]\n");
    return 2;
  }
  const std::string& file = options->operands[0];
  try {
    const ScanResult result = ask(*options, file);
    const std::string name = result.name.empty() ? "" : plain_name(result.name);
    if (options->json) {
      fmt::print(
          "{{\"file\": {}, \"result\": \"{}\", \"name\": {}, "
          "\"parts_fed\": {}, \"signatures\": {}}}\n",
          json_string(escape_untrusted(file)), to_string(result.verdict),
          json_string(name), result.parts_fed, result.signatures);
    } else {
      fmt::print("{}: {}{}{}\n", file, to_string(result.verdict), name.empty() ? "" : " ",
                 name);
    }
    if (result.verdict == ScanVerdict::error) return EX_TEMPFAIL;
    return result.verdict == ScanVerdict::clean ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "mxfeed-virus: {}\n", escape_untrusted(error.what()));
    return EX_TEMPFAIL;
  }
}

int status_command(int argc, char** argv) {
  const auto options = parse(argc, argv);
  if (!options || !options->operands.empty()) {
    fmt::print(stderr, "usage: mxfeed-virus status [--state DIR] [--json]\n");
    return 2;
  }
  int status = 0;
  std::string json;
  for (const char* const daemon : {"virus", "scan"}) {
    std::string lines;
    try {
      lines = ask_status(options->state / daemon / "status.sock", "status");
    } catch (const std::exception& error) {
      lines = fmt::format("program: mxfeed-{}\nstate: down\nlast_fault: {}\n", daemon,
                          escape_untrusted(error.what()));
    }
    if (lines.find("\nstate: running\n") == std::string::npos &&
        lines.find("\nstate: reloading\n") == std::string::npos) {
      status = 1;
    }
    if (options->json) {
      json += (json.empty() ? "[" : ", ") + to_json(lines);
    } else {
      fmt::print("{}{}", *daemon == 's' ? "\n" : "", lines);
    }
  }
  if (options->json) fmt::print("{}]\n", json);
  return status;
}

}  // namespace mxfeed::virus
