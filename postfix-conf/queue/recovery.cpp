// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/recovery.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mxfeed {
namespace {

// More than that part of the trial refused: 20 %.
constexpr std::size_t kMostRefused = 5;

void note_change(Destination& destination, Time now) {
  std::erase_if(destination.changes,
                [&](Time one) { return one > now || now - one > kMemory; });
  destination.changes.push_back(now);
}

Event after_failure(Destination& destination, Time now) {
  if (++destination.failures < kDownAfter || destination.passage == Passage::closed) {
    return Event::none;
  }
  destination.passage = Passage::closed;
  destination.flushing_since = Time();
  destination.trial.clear();
  note_change(destination, now);
  const bool flaps = destination.changes.size() >= kFlapping;
  destination.state = flaps ? ServerState::flapping : ServerState::down;
  return flaps ? Event::flaps : Event::went_down;
}

void remember(Destination& destination, const std::vector<ServerFinding>& servers) {
  for (const auto& one : servers) {
    if (one.greets) destination.identities[one.server] = one.identity;
  }
}

Event after_greeting(Destination& destination, const std::vector<ServerFinding>& servers,
                     Time now) {
  destination.failures = 0;
  switch (destination.passage) {
    case Passage::open:
      // It never was away: a new certificate is its own.
      remember(destination, servers);
      if (destination.changes.empty() || now - destination.changes.back() > kMemory) {
        destination.state = ServerState::up;
      }
      return Event::none;
    case Passage::trial:
      return Event::none;
    case Passage::closed:
      break;
  }
  // Postfix goes on to the next server after a 4xx: none may be a stranger.
  if (stranger_among(destination, servers) != nullptr) return Event::stranger;
  if (!first_that_greets(servers)->accepts) return Event::refuses;
  remember(destination, servers);
  destination.passage = Passage::trial;
  return Event::returned;
}

}  // namespace

bool is_same_server(const ServerIdentity& known, const ServerIdentity& met) {
  if (!known.certificate.empty() && known.certificate == met.certificate) return true;
  // It had TLS and has none: not the same.
  if (!known.certificate.empty() && met.certificate.empty()) return false;
  return known.name.empty() || known.name == met.name;
}

std::string_view to_string(ServerState state) {
  switch (state) {
    case ServerState::up:
      return "up";
    case ServerState::flapping:
      return "flapping";
    case ServerState::down:
      return "down";
  }
  return "";
}

std::optional<ServerState> parse_server_state(std::string_view text) {
  for (const auto one : {ServerState::up, ServerState::flapping, ServerState::down}) {
    if (to_string(one) == text) return one;
  }
  return std::nullopt;
}

std::string_view to_string(Passage passage) {
  switch (passage) {
    case Passage::open:
      return "open";
    case Passage::closed:
      return "closed";
    case Passage::trial:
      return "trial";
  }
  return "";
}

std::optional<Passage> parse_passage(std::string_view text) {
  for (const auto one : {Passage::open, Passage::closed, Passage::trial}) {
    if (to_string(one) == text) return one;
  }
  return std::nullopt;
}

std::string_view to_string(Event event) {
  switch (event) {
    case Event::none:
      return "none";
    case Event::went_down:
      return "down";
    case Event::flaps:
      return "flapping";
    case Event::stranger:
      return "stranger";
    case Event::refuses:
      return "refuses";
    case Event::returned:
      return "returned";
    case Event::recovered:
      return "recovered";
  }
  return "";
}

bool is_stopped(std::string_view delay_reason) {
  const auto path = kClosedRoute.substr(kClosedRoute.rfind('/') + 1);
  return delay_reason.find(path) != std::string_view::npos;
}

std::string overlay_route(const Destination& destination, std::string_view route) {
  switch (destination.passage) {
    case Passage::open:
      return {};
    case Passage::closed:
      return std::string(kClosedRoute);
    case Passage::trial:
      return "mxfeed-soft:" + std::string(route);
  }
  return {};
}

const ServerFinding* first_that_greets(const std::vector<ServerFinding>& servers) {
  const auto found = std::find_if(servers.begin(), servers.end(),
                                  [](const auto& one) { return one.greets; });
  return found == servers.end() ? nullptr : &*found;
}

const ServerFinding* stranger_among(const Destination& destination,
                                    const std::vector<ServerFinding>& servers) {
  for (const auto& one : servers) {
    const auto known = destination.identities.find(one.server);
    if (one.greets && known != destination.identities.end() &&
        !is_same_server(known->second, one.identity)) {
      return &one;
    }
  }
  return nullptr;
}

NextDestination after_probe(Destination before, const std::vector<ServerFinding>& servers,
                            Time now) {
  NextDestination next{std::move(before), Event::none};
  next.destination.probed = now;
  next.event = first_that_greets(servers) != nullptr
                   ? after_greeting(next.destination, servers, now)
                   : after_failure(next.destination, now);
  return next;
}

NextDestination after_trial(Destination before, std::size_t tried, std::size_t refused,
                            Time now) {
  NextDestination next{std::move(before), Event::none};
  if (refused * kMostRefused > tried) {
    next.event = Event::refuses;
    return next;
  }
  next.destination.passage = Passage::open;
  next.destination.flushing_since = now;
  next.destination.trial.clear();
  if (next.destination.state == ServerState::down) {
    next.destination.state = ServerState::up;
  }
  next.event = Event::recovered;
  return next;
}

}  // namespace mxfeed
