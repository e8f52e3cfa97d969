// SPDX-License-Identifier: GPL-2.0-or-later
//
// What Postfix reads: the lines of its maps, its parameters and services.  Functions of
// values, no I/O.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postfix-conf/config/config.h"
#include "postfix-conf/generate/compile.h"

namespace mxfeed {

struct MapLine {
  std::string key;
  std::string value;
  auto operator<=>(const MapLine&) const = default;
};

// Both maps have a domain in A-labels and in U-labels: Postfix takes SMTPUTF8 and turns
// neither into the other (SMTPUTF8_README).

// relay_domains: what is accepted.
std::vector<MapLine> relay_domain_lines(const std::vector<Hosted>& hosted);

// transport_maps: where it goes; also what may wait for domains that were removed, and
// what is refused though relay_domains has a parent's row for it.
std::vector<MapLine> transport_lines(const std::vector<Hosted>& hosted);

// The readable source that stands beside a map.
std::string render(const std::vector<MapLine>& lines);

std::vector<std::pair<std::string, std::string>> main_cf_parameters(
    const std::string& state, std::chrono::seconds longest_lifetime,
    std::uint64_t largest_message, bool smtputf8, const HostConfig* local);

// Services that master.cf must have besides Postfix's own.
std::vector<std::string> master_cf_services();

// A script for sh that makes a Postfix use all of it.
std::string attach_script(const Generated& generated);

}  // namespace mxfeed
