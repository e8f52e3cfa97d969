// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/program/options.h"

#include <fmt/format.h>
#include <getopt.h>

#include <cstdio>

namespace mxfeed {
namespace {

constexpr int kUsageStatus = 2;
constexpr int kFirstOwn = 256;  // above the letters

}  // namespace

std::string usage(const OptionSet& set) {
  const std::string socket = "--socket " + set.socket_placeholder;
  std::string text = fmt::format("usage: {} {} [--state DIR]", set.program,
                                 set.needs_socket ? socket : "[" + socket + "]");
  for (const auto& own : set.own) {
    text += fmt::format(" [--{} {}]", own.name, own.placeholder);
  }
  return text + " [--foreground]\n";
}

std::variant<ServiceOptions, int> parse_options(int argc, char** argv,
                                                const OptionSet& set) {
  std::vector<option> known = {{"socket", required_argument, nullptr, 's'},
                               {"state", required_argument, nullptr, 'd'},
                               {"foreground", no_argument, nullptr, 'f'},
                               {"help", no_argument, nullptr, 'h'},
                               {"version", no_argument, nullptr, 'v'}};
  for (std::size_t i = 0; i < set.own.size(); ++i) {
    known.push_back({set.own[i].name.c_str(), required_argument, nullptr,
                     kFirstOwn + static_cast<int>(i)});
  }
  known.push_back({nullptr, 0, nullptr, 0});
  const auto wrong = [&set] {
    fmt::print(stderr, "{}", usage(set));
    return kUsageStatus;
  };
  ServiceOptions options;
  ::optind = 0;
  for (int c; (c = ::getopt_long(argc, argv, "", known.data(), nullptr)) != -1;) {
    switch (c) {
      case 's':
        options.socket = ::optarg;
        break;
      case 'd':
        options.state = ::optarg;
        break;
      case 'f':
        break;  // always true: we never go into the background
      case 'h':
        fmt::print("{}", usage(set));
        return 0;
      case 'v':
        fmt::print("{} {}\n", set.program, MXFEED_VERSION);
        return 0;
      default:
        if (c < kFirstOwn) return wrong();
        options.own[set.own[static_cast<std::size_t>(c - kFirstOwn)].name] = ::optarg;
    }
  }
  if (::optind != argc || (set.needs_socket && options.socket.empty())) return wrong();
  return options;
}

}  // namespace mxfeed
