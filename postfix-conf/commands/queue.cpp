// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "common/mail/address.h"
#include "postfix-conf/commands/keeper_state.h"
#include "postfix-conf/commands/problems.h"
#include "postfix-conf/postfix/postfix.h"
#include "postfix-conf/queue/held_book.h"
#include "postfix-conf/queue/overview.h"
#include "postfix-conf/queue/queue_control.h"
#include "postfix-conf/queue/refusal.h"
#include "postfix-conf/queue/spool.h"
#include "postfix-conf/queue/terms.h"

namespace mxfeed {
namespace {

Json time_of(const std::optional<Time>& time) {
  return time ? Json(utc(*time)) : Json();
}

bool is_for(const QueuedMessage& message, std::string_view domain) {
  return std::any_of(message.recipients.begin(), message.recipients.end(),
                     [&](const QueuedRecipient& one) {
                       return is_within(domain_of(one.address), domain);
                     });
}

// The domain in A-labels; ends the command if it is none.
std::string parse_domain(const std::string& text) {
  const auto domain = Domain::parse(text);
  if (!domain) {
    throw CommandError(ExitCode::wrong, fmt::format("\"{}\" is not a domain name",
                                                    escape_untrusted(text)));
  }
  return domain->str();
}

void complain_of_malformed(std::size_t count) {
  if (count > 0)
    complain(fmt::format("warning: postqueue: {} malformed", count_of(count, "line")));
}

// What the keeper has on hold.
Journal read_held(const std::filesystem::path& state) {
  const auto file = state / kKeeperDirectory / kHeldFile;
  std::map<std::string, Record, std::less<>> records;
  if (std::filesystem::exists(file)) {
    records = HeldBook(file, Sqlite::Access::read_only).records();
  }
  return [records = std::move(records)](std::string_view id) {
    const auto found = records.find(id);
    return found == records.end() ? Record() : found->second;
  };
}

void show_domains(const Postfix& postfix, const Spool& spool, Terms& terms,
                  const Journal& journal, bool json) {
  Overview overview(terms, journal);
  complain_of_malformed(postfix.read_queue([&](const QueuedMessage& message) {
    overview.add(message, spool.attempts(message.id));
  }));
  Listing listing({{"domain", 30},
                   {"messages", 8, true},
                   {"held", 5, true},
                   {"held_by_keeper", 14, true},
                   {"refused", 7, true},
                   {"size", 10, true},
                   {"oldest", 20},
                   {"expires", 20},
                   {"next_try", 20},
                   {"last_error", 10}},
                  json);
  for (const auto& [name, one] : overview.domains()) {
    listing.row({name, one.messages, one.held, one.held_by_keeper, one.refused, one.size,
                 utc(one.oldest), time_of(one.expires), time_of(one.next_try),
                 one.reason.empty() ? Json() : Json(one.reason)});
  }
}

void show_messages(const Postfix& postfix, const Spool& spool, Terms& terms,
                   const Journal& journal, bool json, const std::string& domain) {
  Listing listing({{"id", 16},
                   {"queue", 8},
                   {"held_by_keeper", 14},
                   {"refused", 7},
                   {"arrived", 20},
                   {"size", 9, true},
                   {"sender", 24},
                   {"recipient", 24},
                   {"expires", 20},
                   {"next_try", 20},
                   {"last_error", 10}},
                  json);
  complain_of_malformed(postfix.read_queue([&](const QueuedMessage& message) {
    if (!is_for(message, domain)) return;
    const auto attempts = spool.attempts(message.id);
    const Record record = journal(message.id);
    for (const auto& one : message.recipients) {
      if (!is_within(domain_of(one.address), domain)) continue;
      listing.row({message.id, message.queue, is_held_by_keeper(message, record),
                   one.delay_reason && is_refusal(*one.delay_reason),
                   utc(message.arrived), message.size, message.sender, one.address,
                   time_of(expiry(message, record, terms)), time_of(attempts.next),
                   Json(one.delay_reason)});
    }
  }));
}

}  // namespace

ExitCode show_queue(const QueueOptions& options, const std::string& domain) {
  const std::string wanted = domain.empty() ? "" : parse_domain(domain);
  const Postfix postfix(options.postfix_config);
  const Spool spool(
      read_keeper_postfix(options.postfix_config, options.state).queue_directory);
  const Generated generated = read_hosted(options.state);
  Terms terms(generated, lifetime_of_others(generated));
  const Journal journal = read_held(options.state);
  if (wanted.empty()) {
    show_domains(postfix, spool, terms, journal, options.json);
  } else {
    show_messages(postfix, spool, terms, journal, options.json, wanted);
  }
  return ExitCode::fine;
}

ExitCode flush_queue(const QueueOptions& options, const std::string& domain,
                     std::uint64_t rate) {
  const std::string wanted = parse_domain(domain);
  if (rate == 0) throw CommandError(ExitCode::usage, "--rate: must be at least 1");
  const Postfix postfix(options.postfix_config);
  std::vector<std::string> ids;
  complain_of_malformed(postfix.read_queue([&](const QueuedMessage& message) {
    if (message.is_deferred() && is_for(message, wanted)) ids.push_back(message.id);
  }));
  const QueueControl control(options.postfix_config);
  using Steady = std::chrono::steady_clock;
  const auto start = Steady::now();
  std::size_t taken = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (control.attempt(ids[i])) ++taken;
    // A second's portion at once, then the rest of the second.
    if ((i + 1) % rate == 0 && i + 1 < ids.size()) {
      std::this_thread::sleep_until(start + std::chrono::seconds((i + 1) / rate));
    }
  }
  fmt::print("{}: {} of {} are tried again\n", wanted, taken,
             count_of(ids.size(), "message"));
  return taken == ids.size() ? ExitCode::fine : ExitCode::wrong;
}

}  // namespace mxfeed
