// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/program/options.h"

#include <optional>

#include "tests/support/catch.h"

namespace mxfeed {
namespace {

const OptionSet kMilter{"mxfeed-null"};
const OptionSet kScan{"mxfeed-scan", false, "SPEC", {{"tmpdir", "DIR"}}};

struct Case {
  const char* name;
  const OptionSet* set;
  std::vector<std::string> arguments;
  std::optional<int> status;  // nothing: options
};

const Case kCases[] = {
    {"a socket", &kMilter, {"--socket", "inet:1@h"}, {}},
    {"all", &kMilter, {"--foreground", "--state", "/s", "--socket=unix:/x"}, {}},
    {"no socket", &kMilter, {"--state", "/s"}, 2},
    {"an empty socket", &kMilter, {"--socket", ""}, 2},
    {"an operand", &kMilter, {"--socket", "unix:/x", "y"}, 2},
    {"no value", &kMilter, {"--socket"}, 2},
    {"an option of another", &kMilter, {"--socket", "unix:/x", "--tmpdir", "/t"}, 2},
    {"help", &kMilter, {"--help"}, 0},
    {"version", &kScan, {"--version"}, 0},
    {"no socket needed", &kScan, {}, {}},
    {"an option of its own", &kScan, {"--tmpdir", "/t"}, {}},
};

std::variant<ServiceOptions, int> parse(std::vector<std::string> arguments,
                                        const OptionSet& set) {
  arguments.insert(arguments.begin(), set.program);
  std::vector<char*> argv;
  for (auto& one : arguments) argv.push_back(one.data());
  argv.push_back(nullptr);
  return parse_options(static_cast<int>(arguments.size()), argv.data(), set);
}

TEST_CASE("a command line is taken or answered", "[program]") {
  for (const Case& c : kCases) {
    INFO(c.name);
    const auto got = parse(c.arguments, *c.set);
    const int* const status = std::get_if<int>(&got);
    CHECK((status != nullptr ? std::optional(*status) : std::nullopt) == c.status);
  }
}

TEST_CASE("options have their values or defaults", "[program]") {
  const auto given = std::get<ServiceOptions>(
      parse({"--tmpdir", "/t", "--state", "/s", "--socket", "unix:/x"}, kScan));
  CHECK(given.socket == "unix:/x");
  CHECK(given.state == "/s");
  CHECK(given.own.at("tmpdir") == "/t");
  const auto none = std::get<ServiceOptions>(parse({}, kScan));
  CHECK(none.socket.empty());
  CHECK(none.state == "/var/lib/mxfeed");
  CHECK(none.own.empty());
}

TEST_CASE("usage names all options", "[program]") {
  CHECK(usage(kMilter) ==
        "usage: mxfeed-null --socket SPEC [--state DIR] [--foreground]\n");
  CHECK(usage(kScan) ==
        "usage: mxfeed-scan [--socket SPEC] [--state DIR] [--tmpdir DIR] "
        "[--foreground]\n");
}

}  // namespace
}  // namespace mxfeed
