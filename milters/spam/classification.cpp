// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/classification.h"

#include <fmt/format.h>

#include <utility>

#include "milters/spam/bulk.h"
#include "milters/spam/client.h"
#include "milters/spam/evidence/table.h"
#include "milters/spam/impersonation.h"

namespace mxfeed::spam {
namespace {

std::string names_of(const std::vector<Evidence>& findings) {
  std::string names;
  for (const Evidence& found : findings) {
    if (!names.empty()) names += ',';
    names += found.slug;
  }
  return names;
}

// In lines of up to about 70 characters; folded after a comma.
std::string folded(std::string_view list) {
  constexpr std::size_t kLine = 55;
  std::string text;
  while (list.size() > kLine) {
    const std::size_t comma = list.find(',', kLine);
    if (comma == list.npos) break;
    text.append(list.substr(0, comma + 1)).append("\n\t");
    list.remove_prefix(comma + 1);
  }
  return text.append(list);
}

}  // namespace

Classification::Classification(const Envelope& envelope, const GatewayPolicy& gateway,
                               const Classifier& classifier)
    : envelope_(envelope),
      gateway_(gateway),
      classifier_(classifier),
      sender_(envelope, gateway, classifier.checks),
      verifiers_(gateway.spam),
      lists_(classifier.lists, gateway.spam, envelope) {}

bool Classification::shows_engine() const {
  return gateway_.spam.engine != SpamEngine::builtin;
}

bool Classification::engine_decides() const {
  return shows_engine() && gateway_.spam.engine_role == EngineRole::verdict;
}

void Classification::begin(const SpamPolicy& of_recipient) {
  sender_.begin_check();
  if (!is_own() && !engine_decides() && of_recipient.asks_lists()) lists_.begin();
}

void Classification::field(std::string_view name, std::string_view value) {
  verifiers_.field(name, value);
  if (shows_engine()) raw_.field(name, value);
}

void Classification::body(std::string_view chunk) {
  if (shows_engine()) raw_.body(chunk);
}

std::size_t Classification::remove_forged(MessageEdits& edits) {
  authentication_ = verifiers_.result();
  // A client of our own may have had its mail verified here before.
  return is_own() ? 0 : verifiers_.remove_forged(edits);
}

void Classification::judge(const Message& message, const DomainPolicy& domain, Time now) {
  const auto from_engine = shows_engine() ? ask_engine(now) : std::nullopt;
  const bool is_decided = from_engine && engine_decides();
  if (from_engine) findings_.push_back(*from_engine);
  if (is_decided) {
    if (message.gtube) findings_.push_back(evidence("gtube"));
  } else {
    find_evidence(message, domain);
  }
  if (const auto found = impersonation(domain.senders.protect, message)) {
    findings_.push_back(*found);
  }
  ruling_ = rule(domain.senders, envelope_, message, [this](const std::string& of) {
    sender_check();
    return sender_.confirms(of) || authentication_.confirms(of);
  });
  if (const auto found = evidence_of(ruling_)) findings_.push_back(*found);
  // What the engine says does not depend on what was learned here.
  score_ = score(findings_, is_decided ? Combiner{} : classifier_.combiner());
  rating_ = level(score_, domain.spam);
  rating_.is_bulk = domain.spam.bulk.action != SpamAction::none &&
                    rating_.level == SpamLevel::none && is_bulk(message, authentication_);
}

std::optional<Evidence> Classification::ask_engine(Time now) {
  const auto outcome = classifier_.engine.ask(
      gateway_.spam, {envelope_, raw_.text(), gateway_.host_name, now});
  const auto* const answer = std::get_if<EngineAnswer>(&outcome);
  if (answer == nullptr) {
    engine_said_ = std::get<std::string>(outcome);
    return std::nullopt;
  }
  engine_said_ = fmt::format("{:.1f}/{:.1f}", answer->score, answer->spam_from);
  return engine_evidence(*answer, gateway_.spam.engine_role);
}

// What the built-in classifier finds.
void Classification::find_evidence(const Message& message, const DomainPolicy& domain) {
  const auto add = [this](const std::vector<Evidence>& found) {
    findings_.insert(findings_.end(), found.begin(), found.end());
  };
  const bool asks_lists = domain.spam.asks_lists();
  if (asks_lists) {
    lists_.begin();
    lists_.ask_about(message);
  }
  add(spam::judge(classifier_.sources, message));
  add(client_evidence(envelope_, gateway_));
  if (asks_lists) add(lists_.evidence());
  const auto& checked = sender_check();
  add(evidence_of(authentication_, checked ? checked->spf : std::nullopt));
}

Report Classification::report() const {
  return {
      fmt::format("{} p={:.2f} t={}", rating_.name(), score_.probability, envelope_.id),
      folded(names_of(findings_))};
}

const std::optional<SenderCheck>& Classification::sender_check() {
  if (!sender_check_) sender_check_.emplace(sender_.check());
  return *sender_check_;
}

bool Classification::confirms_sender(std::string_view domain) {
  sender_check();
  return sender_.confirms(domain) ||
         (authentication_.passes_dmarc() && authentication_.confirms(domain));
}

std::optional<SenderCheck> Classification::sender() {
  std::optional<SenderCheck> check = sender_check();
  if (check && check->spf && check->identity == SenderIdentity::mail_from) {
    // Whether the author's organisation, which a verifier has confirmed, is the sender's.
    check->dmarc =
        authentication_.passes_dmarc() && authentication_.confirms(check->domain);
  }
  return check;
}

void Classification::describe(LogFields& fields) const {
  sender_.describe(fields);
  if (const std::string found = authentication_.str(); !found.empty()) {
    fields.add("auth", found);
  }
}

void Classification::describe_findings(LogFields& fields) const {
  if (!findings_.empty()) fields.add("evidence", names_of(findings_));
  if (!engine_said_.empty()) fields.add("engine", engine_said_);
  lists_.describe(fields);
  if (ruling_.entry) {
    fields.add("senders", to_string(ruling_.kind)).add("entry", ruling_.entry->str());
  }
}

}  // namespace mxfeed::spam
