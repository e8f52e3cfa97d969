// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/desk.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"

namespace mxfeed::recipients {
namespace {

using std::chrono::milliseconds;

void count(const Answer& answer) {
  counter("mxfeed_recipients_answers_total",
          fmt::format(R"(verdict="{}",reason="{}")", to_string(answer.verdict),
                      to_string(answer.reason)))
      .add();
}

WhileDown rule_of(const PolicyRequest& request) {
  return request.policy_context == "defer" ? WhileDown::defer : WhileDown::accept;
}

}  // namespace

Desk::Desk(Store& store, CallOuts& call_outs, milliseconds patience, OnAnswer on_answer)
    : store_(store),
      call_outs_(call_outs),
      patience_(patience),
      on_answer_(std::move(on_answer)) {}

Knowledge Desk::find(const Recipient& recipient) {
  try {
    return store_.find(recipient);
  } catch (const Fault& fault) {
    complain(fault);
    return {};  // the server knows
  }
}

std::string Desk::find_route(const Recipient& recipient) const {
  if (!routes_) return {};
  try {
    std::string route = routes_->find(recipient.domain());
    return parse_route(route).empty() ? std::string() : route;
  } catch (const Fault& fault) {
    log(Severity::error,
        LogFields().add("event", "recipients-route").add("fault", fault.what()));
    return {};
  }
}

bool Desk::learn_delivered(const Recipient& recipient) {
  return call_outs_.run([&store = store_, recipient] {
    try {
      store.update(recipient, [](Knowledge known) {
        return learn_delivery(std::move(known), system_time());
      });
    } catch (const Fault& fault) {
      complain(fault);
    }
  });
}

void Desk::ask(Ticket ticket, const PolicyRequest& request, Instant now) {
  const auto recipient = Recipient::parse(request.recipient);
  if (request.request == kDelivered && recipient && !learn_delivered(*recipient)) {
    on_answer_(ticket, render_policy_reply(Verdict::try_again));
    return;
  }
  if (request.request != kAccess || request.recipient.empty()) {
    on_answer_(ticket, render_no_opinion());
    return;
  }
  if (!recipient) {
    const Answer malformed{Verdict::refuse, Reason::malformed};
    count(malformed);
    log(Severity::info, LogFields()
                            .add("recipients", to_string(malformed.verdict))
                            .add("reason", to_string(malformed.reason))
                            .add("recipient", request.recipient));
    on_answer_(ticket, render_policy_reply(malformed.verdict));
    return;
  }
  const WhileDown rule = rule_of(request);
  const Knowledge known = find(*recipient);
  const Plan plan = make_plan(known, rule, system_time());
  const Question question{ticket, *recipient, rule, now, plan};
  if (plan.ask == Ask::no) return answer(question, plan.answer, now);

  const std::string route = find_route(*recipient);
  const bool is_asked = !route.empty() && call_outs_.ask(*recipient, route);
  if (plan.ask == Ask::in_background) return answer(question, plan.answer, now);
  if (is_asked) {
    waiting_.push_back(question);
    gauge("mxfeed_recipients_waiting").set(waiting_.size());
    return;
  }
  if (route.empty()) {
    return answer(question, {plan.answer.verdict, Reason::no_server}, now);
  }
  // Who asks about many recipients must not get more accepted by that.
  const bool down = is_down(known.server, system_time());
  answer(question, down ? plan.answer : Answer{Verdict::try_again, Reason::busy}, now);
}

void Desk::take_results(Instant now) {
  for (const auto& result : call_outs_.take_results()) {
    const auto ended = take(
        [&](const Question& question) { return question.recipient.key() == result.key; });
    for (const Question& question : ended) {
      const Plan plan = make_plan(result.known, question.rule, system_time());
      answer(question, plan.answer, now, &result.report);
    }
  }
}

void Desk::expire(Instant now) {
  const auto late =
      take([&](const Question& question) { return now - question.asked >= patience_; });
  for (const Question& question : late) {
    const Answer busy{Verdict::try_again, Reason::busy};
    answer(question,
           call_outs_.is_running(question.recipient.key()) ? question.plan.answer : busy,
           now);
  }
}

template <typename IsWanted>
std::vector<Desk::Question> Desk::take(IsWanted is_wanted) {
  std::vector<Question> taken;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (is_wanted(*at)) {
      taken.push_back(std::move(*at));
      at = waiting_.erase(at);
    } else {
      ++at;
    }
  }
  gauge("mxfeed_recipients_waiting").set(waiting_.size());
  return taken;
}

std::optional<Desk::Instant> Desk::next_deadline() const {
  // They are in the order in which they were asked.
  if (waiting_.empty()) return std::nullopt;
  return waiting_.front().asked + patience_;
}

void Desk::answer(const Question& question, const Answer& answer, Instant now,
                  const Report* report) {
  count(answer);
  LogFields fields;
  fields.add("recipients", to_string(answer.verdict))
      .add("reason", to_string(answer.reason))
      .add("recipient", question.recipient.str());
  if (report != nullptr) {
    const auto waited = std::chrono::duration_cast<milliseconds>(now - question.asked);
    fields.add("waited_ms", waited.count());
    if (!report->server.empty()) fields.add("server", report->server);
    fields.add("reply", report->text);
  }
  log(Severity::info, fields);
  on_answer_(question.ticket, render_policy_reply(answer.verdict));
}

}  // namespace mxfeed::recipients
