// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is known of a recipient, and what new mail for it gets.  Pure.
//
// The customer's server decides who its recipients are; this only repeats what it has
// said.  A refusal is repeated only if the server was seen to tell recipients apart: in
// the same session or shortly before it refused a random address, and it accepted another
// one.  While it cannot be asked, the rule of the domain decides (WhileDown).
//
//   Plan plan = make_plan(knowledge, WhileDown::accept, now);
//   if (plan.ask == Ask::now) ...   // a call-out, then learn() and make_plan() again
//
// Times may lie in the future after the clock went back: such a refusal does not count,
// such an acceptance does.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/clock.h"

namespace mxfeed::recipients {

// How long what a server said is used.
inline constexpr std::chrono::hours kAcceptedFor{31 * 24};
inline constexpr std::chrono::hours kRefreshAfter{7 * 24};
inline constexpr std::chrono::hours kRefusedFor{1};
inline constexpr std::chrono::hours kRefusedWhileDown{24};
inline constexpr std::chrono::minutes kDeferredFor{5};
// How long a server counts as one that refuses a random address, or takes any.
inline constexpr std::chrono::hours kRandomFor{24};
// How long it counts as one that accepts somebody.
inline constexpr std::chrono::hours kAcceptsFor{1};
// How long it is not asked after it has refused the sender of call-outs.
inline constexpr std::chrono::minutes kNotAskableFor{15};
// Deliveries to an address are noted this often.
inline constexpr std::chrono::minutes kDeliveredAgain{30};
// While a server is down, it is asked again this often.
inline constexpr std::chrono::seconds kTryAgainAfter{30};
// A server whose replies have told nothing for this long counts as down.
inline constexpr std::chrono::minutes kPatience{15};

// A server's reply to RCPT TO.
enum class Reply : std::uint8_t { accepted, refused, deferred };

// What is known of one address.  The numbers are stored.
struct Address {
  enum class Standing : std::uint8_t {
    accepted = 1,
    refused = 2,   // and others were not
    deferred = 3,  // the server said "try again"
    doubted = 4,   // refused, but so are others, or nobody knows
  };
  enum class Source : std::uint8_t { call_out = 1, delivery = 2 };

  Standing standing = Standing::deferred;
  Time at{};
  Source source = Source::call_out;
  bool operator==(const Address&) const = default;
};

// What is known of the domain's server, for this domain.  Time() is never.
struct Server {
  Time random_at{};           // when a random address was last accepted or refused
  bool takes_random = false;  // what it was: the domain is a catch-all
  Time accepted_at{};         // when it last accepted an address that was not random
  Time not_askable_at{};      // when it last refused the sender of call-outs
  Time failed_at{};           // last attempt, if it did not answer; else Time()
  Time recovered_at{};        // when it first answered after that
  Time unclear_since{};       // since when its replies tell nothing: all temporary, or
                              // everybody is refused

  bool operator==(const Server&) const = default;
};

struct Knowledge {
  std::optional<Address> address;
  Server server;
  bool operator==(const Knowledge&) const = default;
};

// What mail for a recipient that is not known gets while the server cannot be asked.
enum class WhileDown : std::uint8_t { accept, defer };

enum class Verdict : std::uint8_t { accept, refuse, try_again };

// For the log and the metrics.
enum class Reason : std::uint8_t {
  accepted,     // the server accepted the address
  delivered,    // a message was delivered to it
  catch_all,    // the server accepts any address
  not_askable,  // the server refuses the sender of call-outs
  refused,      // the server refused the address, and others not
  deferred,     // the server said "try again"
  refuses_all,  // the server refused the address, but others too
  down,         // the server does not answer, or nothing that tells recipients apart
  no_server,    // the domain has none that could be asked
  malformed,    // no server could have such an address
  busy,         // too many addresses are being asked about
};

struct Answer {
  Verdict verdict = Verdict::try_again;
  Reason reason = Reason::busy;
  bool operator==(const Answer&) const = default;
};

enum class Ask : std::uint8_t { no, in_background, now };

// The answer.  If `ask` is now: the one for a server that does not answer in time.
struct Plan {
  Answer answer;
  Ask ask = Ask::no;
  bool operator==(const Plan&) const = default;
};

Plan make_plan(const Knowledge& known, WhileDown rule, Time now);

// What a call-out is to ask besides the address.
struct Probes {
  bool random = false;   // an address that nobody has, whatever the reply
  bool control = false;  // one that should exist, if the address is refused
  bool operator==(const Probes&) const = default;
};
Probes probes_due(const Server& server, Time now);

// What came of a call-out.
enum class Contact : std::uint8_t {
  none,         // no connection, refused at once, or out of time
  not_askable,  // MAIL FROM:<> was refused
  answered,     // there is a reply to the address, or 4xx before it
};
struct CallOut {
  Contact contact = Contact::none;
  std::optional<Reply> address;  // if answered
  std::optional<Reply> random;   // if asked and answered
  std::optional<Reply> control;  // if asked and answered
  bool operator==(const CallOut&) const = default;
};

// What is known after the call-out.
Knowledge learn(Knowledge known, const CallOut& heard, Time now);
// After a message was delivered to the address.
Knowledge learn_delivery(Knowledge known, Time now);

// What two stores know together.  The later counts, of the same second that of `b`; but
// as in learn(), an acceptance that counts yields to a refusal only.
Knowledge merge(const Knowledge& a, const Knowledge& b, Time now);

// When nothing of it counts any more.
Time expiry(const Address& address);
Time expiry(const Server& server);

// The server did not answer the last attempt, or nothing of use for long.
bool is_down(const Server& server, Time now);

std::string_view to_string(Verdict verdict);
std::string_view to_string(Reason reason);

}  // namespace mxfeed::recipients
