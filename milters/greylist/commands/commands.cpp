// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/commands/commands.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/command/listing.h"
#include "common/command/owner.h"
#include "common/policy/policy_db.h"
#include "milters/greylist/exemption.h"
#include "milters/greylist/key.h"
#include "milters/greylist/stores/store.h"

namespace mxfeed::greylist {
namespace {

// Opens the store as the daemon's user.  Its faults may be temporary, so they mean "try
// again later".
template <typename Work>
void with_store(const Arguments& arguments, const std::string& url, const Work& work) {
  become_daemon(arguments.state(), "greylist");
  try {
    work(*view_store(url, arguments.state() / "greylist"));
  } catch (const Fault& fault) {
    throw CommandError(ExitCode::try_later, escape_untrusted(fault.what()));
  }
}

std::string_view state_of(const Record& record) {
  return record.passes > 0 ? "passed" : "waiting";
}

ExitCode list(const Arguments& arguments) {
  std::optional<Domain> wanted;
  if (!arguments.operands().empty()) {
    wanted = Domain::parse(arguments.operands()[0]);
    if (!wanted) {
      throw CommandError(ExitCode::usage,
                         fmt::format("DOMAIN: \"{}\" is not a domain name",
                                     escape_untrusted(arguments.operands()[0])));
    }
  }
  const PolicyDb policy = open_policy(arguments.state());
  with_store(arguments, policy.gateway().greylist.store, [&](StoreView& store) {
    Listing listing({{"network", 24},
                     {"domain", 30},
                     {"state", 7},
                     {"first_seen", 20},
                     {"last_seen", 20},
                     {"expires", 20},
                     {"key", 0}},
                    arguments.json());
    const Time now = system_time();
    store.each([&](const std::string& key, const Record& record) {
      if (record.expires < now) return;
      auto parts = split(key, ' ');
      parts.resize(3);
      if (wanted && !iequals(parts[1], wanted->str())) return;
      listing.row({parts[0], parts[1], state_of(record), utc(record.first_seen),
                   utc(record.last_seen), utc(record.expires), parts[2]});
    });
  });
  return ExitCode::fine;
}

std::string describe(const Decision& decision) {
  switch (decision.outcome) {
    case Outcome::first_seen:
      return fmt::format("deferred: first seen, must wait {}",
                         format_duration(decision.wait));
    case Outcome::too_early:
      return fmt::format("deferred: too early by {}", format_duration(decision.wait));
    case Outcome::passed:
      return "accepted: waited long enough";
    case Outcome::known:
      return "accepted: known";
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
    case Outcome::known:
      return "known";
  }
  return "?";
}

std::string describe(const Record& record) {
  return fmt::format("{} since {}, last written {}, expires {}", state_of(record),
                     utc(record.first_seen), utc(record.last_seen), utc(record.expires));
}

std::string describe(const DomainPolicy& domain) {
  const GreylistPolicy& greylist = domain.greylist;
  return fmt::format("{}: {}{}, delay {}, retry window {}, keep {}", domain.name,
                     to_string(greylist.when), greylist.shadow ? " (shadow)" : "",
                     format_duration(greylist.delay),
                     format_duration(greylist.retry_window),
                     format_duration(greylist.keep));
}

Json json_of(const DomainPolicy& domain) {
  const GreylistPolicy& greylist = domain.greylist;
  return Json::object()
      .set("domain", domain.name)
      .set("when", to_string(greylist.when))
      .set("shadow", greylist.shadow)
      .set("delay_seconds", greylist.delay.count())
      .set("retry_window_seconds", greylist.retry_window.count())
      .set("keep_seconds", greylist.keep.count());
}

Json json_of(const Record& record) {
  return Json::object()
      .set("state", state_of(record))
      .set("first_seen", utc(record.first_seen))
      .set("last_seen", utc(record.last_seen))
      .set("expires", utc(record.expires))
      .set("passes", record.passes);
}

// The message that `why` is asked about.
struct Question {
  Envelope envelope;
  Recipient recipient;
};

Question question_of(const Arguments& arguments) {
  const auto wrong = [&](std::size_t operand, std::string_view name,
                         std::string_view what) {
    return CommandError(
        ExitCode::usage,
        fmt::format("{}: \"{}\" is not {}", name,
                    escape_untrusted(arguments.operands()[operand]), what));
  };
  Question question;
  question.envelope.client = {IpAddress::parse(arguments.operands()[0]),
                              arguments.text("--name").value_or("")};
  if (!question.envelope.client.address) throw wrong(0, "IP", "an IP address");
  const auto sender = Path::parse(arguments.operands()[1]);
  if (!sender) throw wrong(1, "FROM", "an address");
  question.envelope.sender = sender->str();
  question.recipient = Recipient::parse(arguments.operands()[2]);
  if (question.recipient.local_part.empty() || question.recipient.domain.empty()) {
    throw wrong(2, "TO", "an address with a domain");
  }
  return question;
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

ExitCode why(const Arguments& arguments) {
  const auto [envelope, recipient] = question_of(arguments);
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
    answer.add("exempt", exempt, "")
        .add("accepted", true, "")
        .add("now", "exempt", fmt::format("accepted: exempt ({})", exempt))
        .print();
    return ExitCode::fine;
  }
  const auto& gateway = policy.gateway().greylist;
  const std::string key =
      key_of(*envelope.client.address, envelope.sender, recipient, domain->name, gateway);
  const std::string keyed_as = normalised_sender(envelope.sender, recipient);
  with_store(arguments, gateway.store, [&](StoreView& store) {
    const auto record = store.find(key);
    const Decision decision = decide(record, system_time(), domain->greylist);
    answer.add("keyed_as", keyed_as, escape_untrusted(keyed_as))
        .add("key", key, key)
        .add("record", record ? json_of(*record) : Json(),
             record ? describe(*record) : "none")
        .add("exempt", nullptr, "")
        .add("accepted", decision.lets_through(), "")
        .add("wait_seconds", decision.wait.count(), "")
        .add("now", to_string(decision.outcome), describe(decision));
  });
  answer.print();
  return ExitCode::fine;
}

}  // namespace

std::vector<Command> commands() {
  return {
      {"greylist list",
       "List the senders that greylisting remembers",
       {kJson},
       {{"DOMAIN", "Only senders to this recipient domain", Takes::text,
         Operand::Count::at_most_one}},
       list},
      {"greylist why",
       "Show what greylisting would answer now, and why",
       {{"--name", "NAME", "The client's name in DNS"}, kJson},
       {{"IP", "The client's address"}, {"FROM", "The sender"}, {"TO", "The recipient"}},
       why},
  };
}

}  // namespace mxfeed::greylist
