// SPDX-License-Identifier: GPL-2.0-or-later
//
// When mail for a customer's server waits, and how it is let go.  Rules as functions of
// values, no I/O.
//
// While a server is down, Postfix would try it again on its own, and so would deliver to
// whoever has its address by then.  So its mail is stopped, until a probe meets the same
// server and that takes mail for a recipient who has some.  Then a few messages are tried
// in protect mode, where a refusal waits; if they pass, the rest follows.
//
// A domain may have several servers, which Postfix tries in order: it is down when none
// of them greets.

#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"

namespace mxfeed {

// What a server can be recognised by; empty fields are not known.
struct ServerIdentity {
  std::string certificate;  // fingerprint
  std::string name;         // in its greeting

  bool operator==(const ServerIdentity&) const = default;
};

// Whether it is the server that was known before: the same certificate, or the same name
// if one of them has none.  A certificate may be renewed while a server is down: then its
// name decides, too.
bool is_same_server(const ServerIdentity& known, const ServerIdentity& met);

enum class ServerState { up, flapping, down };
std::string_view to_string(ServerState state);
std::optional<ServerState> parse_server_state(std::string_view text);

// What happens to mail for it.
enum class Passage {
  open,    // Postfix delivers
  closed,  // mail waits
  trial,   // Postfix delivers in protect mode
};
std::string_view to_string(Passage passage);
std::optional<Passage> parse_passage(std::string_view text);

struct Destination {
  ServerState state = ServerState::up;
  Passage passage = Passage::open;
  unsigned failures = 0;      // probes in a row without a greeting
  std::vector<Time> changes;  // between up and down, within kMemory
  // Of each server that was met: "[192.0.2.7]:25" as in its route.
  std::map<std::string, ServerIdentity> identities;
  Time probed{};
  std::vector<std::string> trial;  // queue ids
  // When it was opened again, if not all of its mail was tried since; else Time().
  Time flushing_since{};

  bool operator==(const Destination&) const = default;
};

inline constexpr unsigned kDownAfter = 3;
inline constexpr std::chrono::hours kMemory{1};
inline constexpr std::size_t kFlapping = 3;  // changes within kMemory
inline constexpr std::size_t kTrialMessages = 20;

// What a probe of one server has found.
struct ServerFinding {
  std::string server;
  bool greets = false;   // 220, and a reply to EHLO
  bool accepts = false;  // one of the recipients
  ServerIdentity identity;
};

enum class Event {
  none,
  went_down,
  flaps,
  stranger,  // another server answers at its address
  refuses,   // it takes none of the recipients, or refuses too many messages
  returned,  // the trial begins
  recovered,
};
std::string_view to_string(Event event);

struct NextDestination {
  Destination destination;
  Event event = Event::none;
};

// The route while mail for a destination waits.  Nobody listens there, so mail is
// deferred, and the path explains why.  Not retry(8): smtpd(8) refuses recipients that
// resolve to it.
inline constexpr std::string_view kClosedRoute =
    "lmtp:unix:mxfeed/waits-until-the-server-is-back";
// Whether the mail was deferred by that route, so no server was asked.
bool is_stopped(std::string_view delay_reason);

// The route that replaces `route`, the domain's own; empty for none.
std::string overlay_route(const Destination& destination, std::string_view route);

// The one that Postfix delivers to: the first that greets; null if none does.
const ServerFinding* first_that_greets(const std::vector<ServerFinding>& servers);
// The first that greets and is not the one that was known; null if there is none.
const ServerFinding* stranger_among(const Destination& destination,
                                    const std::vector<ServerFinding>& servers);

// After a probe of all its servers, in the order of the route.
NextDestination after_probe(Destination before, const std::vector<ServerFinding>& servers,
                            Time now);

// After the trial: of `tried` messages, `refused` got 5xx; those that wait for another
// reason are not counted.
NextDestination after_trial(Destination before, std::size_t tried, std::size_t refused,
                            Time now);

}  // namespace mxfeed
