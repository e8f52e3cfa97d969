// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/commands/why.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "common/command/owner.h"
#include "common/policy/policy_db.h"
#include "milters/greylist/commands/asked.h"
#include "milters/greylist/commands/opened_store.h"
#include "milters/greylist/exemption.h"
#include "milters/greylist/normalised_sender.h"

namespace mxfeed::greylist {
namespace {

std::string describe(const Decision& decision) {
  switch (decision.outcome) {
    case Outcome::first_seen:
      return fmt::format("deferred: first seen, must wait {}",
                         format_duration(decision.wait));
    case Outcome::too_early:
      return fmt::format("deferred: too early by {}", format_duration(decision.wait));
    case Outcome::passed:
      return "accepted: waited long enough";
    case Outcome::flood:
      return fmt::format("deferred: too many others of the network wait, must wait {}",
                         format_duration(decision.wait));
    case Outcome::known:
      return "accepted: known";
    case Outcome::known_identity:
      return "accepted: the identity is known";
  }
  return "?";
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::first_seen:
      return "first_seen";
    case Outcome::too_early:
      return "too_early";
    case Outcome::passed:
      return "passed";
    case Outcome::flood:
      return "flood";
    case Outcome::known:
      return "known";
    case Outcome::known_identity:
      return "known_identity";
  }
  return "?";
}

std::string describe(const Key& key, const Record& record) {
  return fmt::format("{} {}: {} since {}, last written {}, expires {}",
                     to_string(key.identity.kind), key.identity.text, state_of(key.about),
                     utc(record.first_seen), utc(record.last_seen), utc(record.expires));
}

std::string describe(const DomainPolicy& domain) {
  const GreylistPolicy& greylist = domain.greylist;
  return fmt::format(
      "{}: {}{}, delay {} ({} without a verified identity), retry window {}, keep {}",
      domain.name, to_string(greylist.when), greylist.shadow ? " (shadow)" : "",
      format_duration(greylist.delay),
      format_duration(std::max(greylist.delay, greylist.unverified_delay)),
      format_duration(greylist.retry_window), format_duration(greylist.keep));
}

Json json_of(const DomainPolicy& domain) {
  const GreylistPolicy& greylist = domain.greylist;
  return Json::object()
      .set("domain", domain.name)
      .set("when", to_string(greylist.when))
      .set("shadow", greylist.shadow)
      .set("delay_seconds", greylist.delay.count())
      .set("unverified_delay_seconds",
           std::max(greylist.delay, greylist.unverified_delay).count())
      .set("retry_window_seconds", greylist.retry_window.count())
      .set("keep_seconds", greylist.keep.count());
}

Json json_of(const Key& key, const Record& record) {
  return Json::object()
      .set("state", state_of(key.about))
      .set("identity", to_string(key.identity.kind))
      .set("whose", key.identity.text)
      .set("first_seen", utc(record.first_seen))
      .set("last_seen", utc(record.last_seen))
      .set("expires", utc(record.expires))
      .set("passes", record.passes);
}

// Collects the answer and prints it as lines or as one JSON object.
class Answer {
 public:
  explicit Answer(bool json) : json_(json) {}

  // `key` is in snake_case.  A value with an empty text is in the JSON only.
  Answer& add(std::string_view key, Json value, const std::string& text) {
    object_.set(key, std::move(value));
    if (!text.empty()) lines_ += fmt::format("{}: {}\n", title(key), text);
    return *this;
  }
  void print() const { fmt::print("{}", json_ ? object_.str() + "\n" : lines_); }

 private:
  static std::string title(std::string_view key) {
    std::string text(key);
    for (char& c : text) c = c == '_' ? ' ' : c;
    return text;
  }
  const bool json_;
  Json object_ = Json::object();
  std::string lines_;
};

void add_exemption(std::string_view why, Answer& answer) {
  answer.add("exempt", why, "")
      .add("accepted", true, "")
      .add("now", "exempt", fmt::format("accepted: exempt ({})", why));
}

// Null, and no line, if no entry of a list names the sender.
void add_list(const Listed& listed, const std::string& domain, Answer& answer) {
  if (!listed.entry) {
    answer.add("list", nullptr, "");
    return;
  }
  const std::string entry = listed.entry->str();
  const std::string of = listed.by_domain ? domain : "the gateway";
  answer.add(
      "list",
      Json::object()
          .set("list", to_string(listed.ruling))
          .set("entry", entry)
          .set("of", listed.by_domain ? Json(domain) : Json()),
      fmt::format("{} of {}: {}", to_string(listed.ruling), of, escape_untrusted(entry)));
}

// As the daemon would decide now.
void add_decision(const Arguments& arguments, const PolicyDb& policy,
                  const Question& question, const DomainPolicy& domain,
                  const Asked& asked, bool may_be_spared, bool is_denied,
                  Answer& answer) {
  const auto& [envelope, recipient] = question;
  const auto& [spf, who, keys, asked_terms] = asked;
  Terms terms = asked_terms;
  terms.only_this_mail = is_denied;
  const std::string keyed_as = normalised_sender(envelope.sender, recipient);
  with_store(arguments, policy.gateway(), [&](StoreView& store) {
    Json records = Json::list();
    std::string text;
    const Decision decision = decide(
        [&](Slot slot) {
          const Key& key = keys.at(slot);
          auto record = store.find(keys, slot);
          if (record) {
            records.add(json_of(key, *record));
            text += (text.empty() ? "" : "; ") + describe(key, *record);
          }
          return record;
        },
        system_time(), terms);
    const bool passes =
        decision.lets_through() ||
        (may_be_spared && domain.greylist.when == GreylistWhen::suspicious &&
         who.is_verified());
    answer.add("spf", spf::to_string(spf.result), std::string(spf::to_string(spf.result)))
        .add("identity", to_string(who.best.kind),
             fmt::format("{} {}", to_string(who.best.kind), who.best.text))
        .add("whose", who.best.text, "")
        .add("keyed_as", keyed_as, escape_untrusted(keyed_as))
        .add("records", std::move(records), text.empty() ? "none" : text)
        .add("exempt", nullptr, "")
        .add("accepted", passes, "")
        .add("wait_seconds", passes ? 0 : decision.wait.count(), "")
        .add("now", to_string(decision.outcome), describe(decision));
  });
}

}  // namespace

ExitCode why(const Arguments& arguments) {
  const Question question = question_of(arguments);
  const auto& [envelope, recipient] = question;
  const PolicyDb policy = open_policy(arguments.state());
  const auto domain = policy.find_own(recipient.domain);
  const std::string client = envelope.client.address->str();
  const std::string to = recipient.local_part + "@" + recipient.domain;

  Answer answer(arguments.json());
  answer.add("client", client, client)
      .add("sender", envelope.sender, escape_untrusted(envelope.sender))
      .add("recipient", to, escape_untrusted(to))
      .add("policy", domain ? json_of(*domain) : Json(), domain ? describe(*domain) : "");
  const auto exempt = exemption(envelope, recipient, domain, policy.gateway());
  if (!exempt.empty()) {
    add_exemption(exempt, answer);
    answer.print();
    return ExitCode::fine;
  }
  Asking asking(question, policy.gateway().greylist);
  const Listed listed = asking.listed(*domain);
  add_list(listed, domain->name, answer);
  const std::string block_list = asking.block_list(*domain);
  answer.add("block_list", block_list.empty() ? Json() : Json(block_list), block_list);
  const bool may_be_spared = listed.ruling == Ruling::none && block_list.empty();
  const std::string_view spared =
      may_be_spared ? exemption_by_when(envelope, domain->greylist) : "";
  if (listed.ruling == Ruling::allowed) {
    add_exemption("allowed", answer);
  } else if (!spared.empty()) {
    add_exemption(spared, answer);
  } else {
    add_decision(arguments, policy, question, *domain, asking.asked(*domain),
                 may_be_spared, listed.ruling == Ruling::denied, answer);
  }
  answer.print();
  return ExitCode::fine;
}

}  // namespace mxfeed::greylist
