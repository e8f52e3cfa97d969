// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/simulation/attempts.h"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

#include "common/base/text.h"

namespace mxfeed::greylist {
namespace {

// Between the recipients of one try.
constexpr std::chrono::seconds kSameTry{60};

void add_recipient(Attempt& attempt, std::string recipient) {
  auto& all = attempt.recipients;
  if (all.size() >= AttemptReader::kMostRecipients) return;
  if (std::ranges::find(all, recipient) == all.end()) all.push_back(std::move(recipient));
}

bool is_of_same_try(const Attempt& attempt, const LogEvent& event) {
  return attempt.client.address == event.client.address &&
         attempt.sender == event.sender && event.time - attempt.time <= kSameTry &&
         attempt.recipients.size() < AttemptReader::kMostRecipients &&
         std::ranges::none_of(attempt.recipients, [&](const std::string& one) {
           return iequals(one, event.recipient);
         });
}

}  // namespace

bool AttemptReader::see(std::string_view line) {
  if (attempts_.size() >= kMostAttempts) return false;
  auto event = parse_log_event(line, now_);
  if (!event) return true;
  ++used_lines_;
  take(*std::move(event));
  return true;
}

void AttemptReader::take(LogEvent event) {
  using Kind = LogEvent::Kind;
  switch (event.kind) {
    case Kind::connection:
      end_deferred(event.process);
      return;
    case Kind::deferred:
      defer(std::move(event));
      return;
    case Kind::removed:
      end_accepted(event.queue_id);
      return;
    case Kind::client: {
      // A short queue ID is used again.
      end_accepted(event.queue_id);
      if (accepted_.size() >= kMostOpen) {
        ++incomplete_;
        return;
      }
      Attempt attempt{
          event.time, std::move(event.client), event.authenticated, {}, {}, {}, true};
      accepted_[event.queue_id] = {std::move(attempt), false};
      return;
    }
    case Kind::sender:
    case Kind::recipient: {
      const auto found = accepted_.find(event.queue_id);
      if (found == accepted_.end()) return;
      if (event.kind == Kind::recipient) {
        add_recipient(found->second.attempt, std::move(event.recipient));
      } else {
        found->second.attempt.sender = std::move(event.sender);
        found->second.has_sender = true;
      }
      return;
    }
  }
}

void AttemptReader::defer(LogEvent event) {
  const auto found = deferred_.find(event.process);
  if (found != deferred_.end()) {
    if (is_of_same_try(found->second, event)) {
      found->second.recipients.push_back(std::move(event.recipient));
      return;
    }
    end_deferred(event.process);
  }
  if (deferred_.size() >= kMostOpen) {
    ++incomplete_;
    return;
  }
  deferred_[event.process] = {event.time,
                              std::move(event.client),
                              event.authenticated,
                              std::move(event.helo),
                              std::move(event.sender),
                              {std::move(event.recipient)},
                              false};
}

void AttemptReader::end_accepted(const std::string& queue_id) {
  const auto found = accepted_.find(queue_id);
  if (found == accepted_.end()) return;
  auto& [attempt, has_sender] = found->second;
  if (has_sender && !attempt.recipients.empty()) {
    attempts_.push_back(std::move(attempt));
  } else {
    ++incomplete_;
  }
  accepted_.erase(found);
}

void AttemptReader::end_deferred(const std::string& process) {
  const auto found = deferred_.find(process);
  if (found == deferred_.end()) return;
  attempts_.push_back(std::move(found->second));
  deferred_.erase(found);
}

std::vector<Attempt> AttemptReader::finish() {
  while (!accepted_.empty()) end_accepted(std::string(accepted_.begin()->first));
  while (!deferred_.empty()) end_deferred(std::string(deferred_.begin()->first));
  // Of the same second, in an order that does not depend on the containers.
  std::ranges::stable_sort(attempts_, [](const Attempt& a, const Attempt& b) {
    return std::tie(a.time, a.client.address, a.sender, a.recipients, a.accepted) <
           std::tie(b.time, b.client.address, b.sender, b.recipients, b.accepted);
  });
  return std::move(attempts_);
}

}  // namespace mxfeed::greylist
