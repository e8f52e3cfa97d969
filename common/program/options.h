// SPDX-License-Identifier: GPL-2.0-or-later
//
// The command line of a daemon:
//   PROGRAM [--socket SPEC] [--state DIR] [--foreground] [--help] [--version]
// and the program's own options, each with a value.

#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mxfeed {

struct OptionSet {
  struct Own {
    std::string name;         // "tmpdir"
    std::string placeholder;  // "DIR"
  };
  std::string program;  // "mxfeed-scan"
  bool needs_socket = true;
  std::string socket_placeholder = "SPEC";
  std::vector<Own> own = {};
};

struct ServiceOptions {
  std::string socket;  // empty if not given
  std::filesystem::path state = "/var/lib/mxfeed";
  std::map<std::string, std::string, std::less<>> own;  // by name; those that were given
};

std::string usage(const OptionSet& set);

// The options; or, after --help, --version and usage errors, which are answered here, the
// status to exit with.
std::variant<ServiceOptions, int> parse_options(int argc, char** argv,
                                                const OptionSet& set);

}  // namespace mxfeed
