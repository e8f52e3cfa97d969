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

// A map of a generation: its readable source has this name, beside it stands NAME.cdb.
struct MapKind {
  const char* name;
  // The lines of one domain.  In A-labels and in U-labels: Postfix takes SMTPUTF8 and
  // turns neither into the other (SMTPUTF8_README).
  void (*lines)(const Hosted& hosted, const LineSink& line);
};

// What is accepted.
extern const MapKind kRelayDomains;
// transport_maps: where it goes; also what may wait for domains that were removed, and
// what is refused though relay_domains has a parent's row for it.
extern const MapKind kTransport;

inline const std::array<const MapKind*, 2> kMaps = {&kRelayDomains, &kTransport};

// The first line of a readable source.
inline constexpr std::string_view kMapComment =
    "# Written by mxfeed; what Postfix reads is the .cdb beside it.\n";

std::vector<MapLine> map_lines(const MapKind& kind, const std::vector<Hosted>& hosted);

// The keys whose answers change; those that are gone without value.
std::vector<MapLine> changed_lines(const MapKind& kind, const std::vector<Hosted>& now,
                                   const std::vector<Hosted>& before);

}  // namespace mxfeed
