// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which servers a domain's mail is delivered to: what the generated transport_maps say.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/policy/constdb.h"

namespace mxfeed::recipients {

struct NextHop {
  std::string host;  // an address or a name, without brackets
  std::uint16_t port = 25;
  bool operator==(const NextHop&) const = default;
};

// The servers in a value of transport_maps, in order: "mxfeed-relay:[192.0.2.7]:25,
// [mail.acme.example]:2525".  Empty if mail waits or is refused there.
std::vector<NextHop> parse_route(std::string_view value);

// One generation of transport_maps, opened.  Thread-safe.
class Routes {
 public:
  // Throws Fault.
  explicit Routes(const std::filesystem::path& file) : transports_(file) {}

  // The value for the domain (A-labels), by its own row or that of a parent for the names
  // below it; empty if there is none.  Throws Fault if the file is damaged.
  std::string find(std::string_view domain) const;

 private:
  ConstDb transports_;
};

}  // namespace mxfeed::recipients
