// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/knowledge.h"

#include <algorithm>

namespace mxfeed::recipients {
namespace {

using Standing = Address::Standing;
using std::chrono::seconds;

constexpr Time kNever{};

// Something that happened at `at` counts for `life`.
bool is_fresh(Time at, seconds life, Time now) {
  return at != kNever && at <= now && now - at < life;
}

bool counts_as_accepted(const std::optional<Address>& address, Time now) {
  // After the clock went back, `at` may lie in the future.
  return address && address->standing == Standing::accepted &&
         now - address->at < kAcceptedFor;
}

bool is_catch_all(const Server& server, Time now) {
  const seconds life = is_down(server, now) ? kAcceptedFor : kRandomFor;
  return server.takes_random && is_fresh(server.random_at, life, now);
}

bool refuses_random(const Server& server, Time now) {
  return !server.takes_random && is_fresh(server.random_at, kRandomFor, now);
}

// Whether the server may be tried.
bool may_try(const Server& server, Time now) {
  return !is_fresh(server.failed_at, kTryAgainAfter, now);
}

// The server has answered.
void recover(Server& server, Time now) {
  if (server.failed_at == kNever) return;
  server.failed_at = kNever;
  server.recovered_at = now;
}

// Whether the replies tell something of recipients: somebody is accepted, or somebody is
// refused by a server that accepts others.
bool is_clear(const Server& server, const CallOut& heard, Time now) {
  bool accepts = false;
  bool refuses = false;
  for (const auto& reply : {heard.address, heard.random, heard.control}) {
    accepts |= reply == Reply::accepted;
    refuses |= reply == Reply::refused;
  }
  return accepts || (refuses && is_fresh(server.accepted_at, kAcceptsFor, now));
}

void learn_replies(Server& server, const CallOut& heard, Time now) {
  if (heard.random && *heard.random != Reply::deferred) {
    server.takes_random = *heard.random == Reply::accepted;
    server.random_at = now;
  }
  if (heard.address == Reply::accepted || heard.control == Reply::accepted) {
    server.accepted_at = now;
  }
  if (!is_clear(server, heard, now)) {
    if (server.unclear_since == kNever || server.unclear_since > now) {
      server.unclear_since = now;
    }
  } else if (server.unclear_since != kNever) {
    server.unclear_since = kNever;
    server.recovered_at = now;
  }
}

void learn_contact(Server& server, const CallOut& heard, Time now) {
  switch (heard.contact) {
    case Contact::none:
      server.failed_at = now;
      return;
    case Contact::not_askable:
      recover(server, now);
      server.not_askable_at = now;
      return;
    case Contact::answered:
      recover(server, now);
      learn_replies(server, heard, now);
      return;
  }
}

// Nothing if what was known stays.
std::optional<Standing> standing_after(const Knowledge& known, Reply reply, Time now) {
  // Of a catch-all nothing is kept: what it accepts is no recipient for that.
  if (is_catch_all(known.server, now)) return std::nullopt;
  if (reply == Reply::accepted) return Standing::accepted;
  const bool is_refused = reply == Reply::refused;
  if (is_refused && refuses_random(known.server, now) &&
      is_fresh(known.server.accepted_at, kAcceptsFor, now)) {
    return Standing::refused;
  }
  if (counts_as_accepted(known.address, now)) return std::nullopt;
  return is_refused ? Standing::doubted : Standing::deferred;
}

// Clocks of hosts may differ so much.
constexpr std::chrono::minutes kSkew{5};

// A time from before the clock went back counts as none: what is learned now is later.
Time rank(Time at, Time now) {
  return at <= now + kSkew ? at : kNever;
}

std::optional<Address> merge(const std::optional<Address>& a,
                             const std::optional<Address>& b, Time now) {
  if (!a || !b) return a ? a : b;
  const bool is_a = rank(a->at, now) > rank(b->at, now);
  const auto& later = is_a ? a : b;
  const auto& earlier = is_a ? b : a;
  const bool yields =
      later->standing == Standing::accepted || later->standing == Standing::refused;
  return !yields && counts_as_accepted(earlier, now) ? earlier : later;
}

Time latest(const Server& server) {
  return std::max({server.random_at, server.accepted_at, server.not_askable_at,
                   server.failed_at, server.recovered_at, server.unclear_since});
}

Server merge(const Server& a, const Server& b, Time now) {
  const bool is_a = rank(latest(a), now) > rank(latest(b), now);
  const Server& earlier = is_a ? b : a;
  // Whether it is down, the last attempt tells.
  Server merged = is_a ? a : b;
  const auto is_later = [&](Time Server::*when) {
    return rank(earlier.*when, now) > rank(merged.*when, now);
  };
  if (is_later(&Server::random_at)) {
    merged.random_at = earlier.random_at;
    merged.takes_random = earlier.takes_random;
  }
  for (const auto when :
       {&Server::accepted_at, &Server::not_askable_at, &Server::recovered_at}) {
    if (is_later(when)) merged.*when = earlier.*when;
  }
  return merged;
}

seconds life(Standing standing) {
  switch (standing) {
    case Standing::accepted:
      return kAcceptedFor;
    case Standing::refused:
      return kRefusedWhileDown;
    case Standing::deferred:
    case Standing::doubted:
      break;
  }
  return kDeferredFor;
}

}  // namespace

bool is_down(const Server& server, Time now) {
  return server.failed_at != kNever ||
         (server.unclear_since != kNever && now - server.unclear_since >= kPatience);
}

Plan make_plan(const Knowledge& known, WhileDown rule, Time now) {
  const Server& server = known.server;
  const auto& address = known.address;
  const bool down = is_down(server, now);
  const bool catches_all = is_catch_all(server, now);
  if (counts_as_accepted(address, now)) {
    const bool is_old = now - address->at >= kRefreshAfter;
    const bool refresh = is_old && !catches_all && may_try(server, now);
    return {{Verdict::accept, address->source == Address::Source::delivery
                                  ? Reason::delivered
                                  : Reason::accepted},
            refresh ? Ask::in_background : Ask::no};
  }
  if (catches_all) return {{Verdict::accept, Reason::catch_all}, Ask::no};
  if (is_fresh(server.not_askable_at, kNotAskableFor, now)) {
    return {{Verdict::accept, Reason::not_askable}, Ask::no};
  }
  const Answer by_rule{rule == WhileDown::accept ? Verdict::accept : Verdict::try_again,
                       Reason::down};
  if (address && address->standing == Standing::refused) {
    const seconds counts = down ? kRefusedWhileDown : kRefusedFor;
    if (is_fresh(address->at, counts, now)) {
      return {{Verdict::refuse, Reason::refused},
              down && may_try(server, now) ? Ask::in_background : Ask::no};
    }
  }
  const bool is_unclear = address && (address->standing == Standing::deferred ||
                                      address->standing == Standing::doubted);
  if (is_unclear && address->at >= server.recovered_at &&
      is_fresh(address->at, kDeferredFor, now)) {
    const Reason reason =
        address->standing == Standing::doubted ? Reason::refuses_all : Reason::deferred;
    return {down ? by_rule : Answer{Verdict::try_again, reason}, Ask::no};
  }
  return {by_rule, may_try(server, now) ? Ask::now : Ask::no};
}

Probes probes_due(const Server& server, Time now) {
  return {!is_fresh(server.random_at, kRandomFor, now),
          !is_fresh(server.accepted_at, kAcceptsFor, now)};
}

Knowledge learn(Knowledge known, const CallOut& heard, Time now) {
  learn_contact(known.server, heard, now);
  if (heard.contact == Contact::answered && heard.address) {
    if (const auto standing = standing_after(known, *heard.address, now)) {
      known.address = Address{*standing, now, Address::Source::call_out};
    }
  }
  return known;
}

Knowledge learn_delivery(Knowledge known, Time now) {
  const bool is_known = is_catch_all(known.server, now) ||
                        (known.address && known.address->standing == Standing::accepted &&
                         known.address->source == Address::Source::delivery &&
                         is_fresh(known.address->at, kDeliveredAgain, now));
  if (is_known && known.server.failed_at == kNever &&
      is_fresh(known.server.accepted_at, kDeliveredAgain, now)) {
    return known;
  }
  recover(known.server, now);
  known.server.accepted_at = now;
  if (!is_catch_all(known.server, now)) {
    known.address = Address{Standing::accepted, now, Address::Source::delivery};
  }
  return known;
}

Knowledge merge(const Knowledge& a, const Knowledge& b, Time now) {
  return {merge(a.address, b.address, now), merge(a.server, b.server, now)};
}

Time expiry(const Address& address) {
  return address.at + life(address.standing);
}

Time expiry(const Server& server) {
  return latest(server) + kAcceptedFor;
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::accept:
      return "accept";
    case Verdict::refuse:
      return "refuse";
    case Verdict::try_again:
      break;
  }
  return "try_again";
}

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::accepted:
      return "accepted";
    case Reason::delivered:
      return "delivered";
    case Reason::catch_all:
      return "catch_all";
    case Reason::not_askable:
      return "not_askable";
    case Reason::refused:
      return "refused";
    case Reason::deferred:
      return "deferred";
    case Reason::refuses_all:
      return "refuses_all";
    case Reason::down:
      return "down";
    case Reason::no_server:
      return "no_server";
    case Reason::malformed:
      return "malformed";
    case Reason::busy:
      break;
  }
  return "busy";
}

}  // namespace mxfeed::recipients
