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

bool AttemptReader::Earlier::operator()(const Attempt& a, const Attempt& b) const {
  return std::tie(a.time, a.client.address, a.sender, a.recipients, a.accepted) <
         std::tie(b.time, b.client.address, b.sender, b.recipients, b.accepted);
}

void AttemptReader::see(std::string_view line) {
  auto event = parse_log_event(line, now_);
  if (!event) return;
  ++used_lines_;
  pass_time(event->time);
  take(*std::move(event));
}

void AttemptReader::pass_time(Time time) {
  if (newest_ != Time::min() && time < newest_ - kDisorder) {
    finish();
    ++steps_back_;
    newest_ = time;
  }
  if (time <= newest_) return;
  newest_ = time;
  end_settled();
  show_until(newest_ - kSettled);
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
    case Kind::client:
      begin(std::move(event));
      return;
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

void AttemptReader::begin(LogEvent event) {
  // A short queue ID is used again.
  end_accepted(event.queue_id);
  if (accepted_.size() >= kMostOpen) {
    ++incomplete_;
    return;
  }
  due_accepted_.push_back({newest_ + kSettled, event.time, event.queue_id});
  Attempt attempt{event.time, std::move(event.client), event.authenticated, {}, {}, {},
                  true};
  accepted_[event.queue_id] = {std::move(attempt), false};
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
  due_deferred_.push_back({newest_ + kSettled, event.time, event.process});
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
  if (found->second.is_whole()) {
    ended_.insert(std::move(found->second.attempt));
  } else {
    ++incomplete_;
  }
  accepted_.erase(found);
}

void AttemptReader::end_deferred(const std::string& process) {
  const auto found = deferred_.find(process);
  if (found == deferred_.end()) return;
  ended_.insert(std::move(found->second));
  deferred_.erase(found);
}

void AttemptReader::end_settled() {
  while (!due_deferred_.empty() && due_deferred_.front().time <= newest_) {
    const Due due = std::move(due_deferred_.front());
    due_deferred_.pop_front();
    const auto found = deferred_.find(due.name);
    if (found != deferred_.end() && found->second.time == due.began) {
      end_deferred(due.name);
    }
  }
  while (!due_accepted_.empty() && due_accepted_.front().time <= newest_) {
    Due due = std::move(due_accepted_.front());
    due_accepted_.pop_front();
    const auto found = accepted_.find(due.name);
    if (found == accepted_.end() || found->second.attempt.time != due.began) continue;
    if (found->second.is_whole() || newest_ - due.began >= kLongest) {
      end_accepted(due.name);
    } else {
      due.time = newest_ + kSettled;
      due_accepted_.push_back(std::move(due));
    }
  }
}

void AttemptReader::show_until(Time time) {
  while (!ended_.empty() && ended_.begin()->time <= time) {
    show_(*ended_.begin());
    ended_.erase(ended_.begin());
  }
}

void AttemptReader::finish() {
  while (!accepted_.empty()) end_accepted(std::string(accepted_.begin()->first));
  while (!deferred_.empty()) end_deferred(std::string(deferred_.begin()->first));
  due_accepted_.clear();
  due_deferred_.clear();
  show_until(Time::max());
}

}  // namespace mxfeed::greylist
