// SPDX-License-Identifier: GPL-2.0-or-later
//
// The lines of Postfix's maps.  Functions of values, no I/O.

#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "postfix-conf/generate/rows.h"

namespace mxfeed {

struct MapLine {
  std::string key;
  std::string value;
  auto operator<=>(const MapLine&) const = default;
};

// Called with each line; valid during the call.
using LineSink = std::function<void(std::string_view key, std::string_view value)>;

// A map of a generation: its readable source has this name; NAME.cdb is beside it.
struct MapKind {
  const char* name;
  // The lines of one domain, in A-labels and in U-labels: Postfix converts neither into
  // the other (SMTPUTF8_README).
  void (*lines)(const Hosted& hosted, const LineSink& line);
};

// relay_domains: which domains are accepted.
extern const MapKind kRelayDomains;
// transport_maps: where mail goes; also routes for removed domains whose mail may wait,
// and rows that refuse names which a parent's row in relay_domains would accept.
extern const MapKind kTransport;

inline const std::array<const MapKind*, 2> kMaps = {&kRelayDomains, &kTransport};

// The first line of a readable source.
inline constexpr std::string_view kMapComment =
    "# Written by mxfeed.  Postfix reads the .cdb file beside this one.\n";

std::vector<MapLine> map_lines(const MapKind& kind, const std::vector<Hosted>& hosted);

// The keys whose values change; removed ones have an empty value.
std::vector<MapLine> changed_lines(const MapKind& kind, const std::vector<Hosted>& now,
                                   const std::vector<Hosted>& before);

}  // namespace mxfeed
