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
  // The lines of one of the generation's domains.  In A-labels and in U-labels: Postfix
  // takes SMTPUTF8 and turns neither into the other (SMTPUTF8_README).
  void (*lines)(const Generated& generated, const Hosted& hosted,
                const LineSink& line) = nullptr;
  // Instead, all lines of a map whose keys domains share; in ascending order, each once.
  void (*whole)(const Generated& generated, const LineSink& line) = nullptr;
  // Besides, a line that every generation has; without key if there is none.
  MapLine constant{};
  // The lines of a domain follow from other domains too.
  bool follows_from_others = false;
};

// The forms of a domain's name that are keys.
std::vector<std::string> key_forms(const std::string& name);

// relay_domains: which domains are accepted.
extern const MapKind kRelayDomains;
// transport_maps: where mail goes; also routes for removed domains whose mail may wait,
// and rows that refuse names which a parent's row in relay_domains would accept.
extern const MapKind kTransport;
// relay_recipient_maps: every recipient of what is relayed; empty unless the site needs
// it.  For names below a domain see relay_recipient_patterns().
extern const MapKind kRelayRecipients;

// All of them.
extern const std::array<const MapKind*, 6> kMaps;

// The first line of a readable source.
inline constexpr std::string_view kMapComment =
    "# Written by mxfeed.  Postfix reads the .cdb file beside this one.\n";

// All lines, in the order in which they are stored.
void each_line(const MapKind& kind, const Generated& generated, const LineSink& line);

std::vector<MapLine> map_lines(const MapKind& kind, const Generated& generated);

// A table of type regexp, with the recipients below domains that take them.  No look-up
// by key does that for relay_recipient_maps.  Postfix reads it when a process starts.
std::string relay_recipient_patterns(const Generated& generated);

// The keys whose answers change; those that are gone without value.
std::vector<MapLine> changed_lines(const MapKind& kind, const Generated& now,
                                   const Generated& before);

}  // namespace mxfeed
