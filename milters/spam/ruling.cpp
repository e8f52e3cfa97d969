// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/ruling.h"

#include <vector>

#include "milters/spam/evidence/table.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kMostAuthors = 10;

// Of the sender of the envelope, then of the authors in all From fields.
std::vector<SenderFacts> facts_of(const Envelope& envelope, const Message& message) {
  std::vector<SenderFacts> all{SenderFacts::of(envelope.client, envelope.sender)};
  for (const Mailbox& author : mailboxes(message, "From", kMostAuthors)) {
    all.push_back(SenderFacts::of(envelope.client, author.address));
  }
  return all;
}

}  // namespace

std::string_view to_string(Ruling::Kind kind) {
  switch (kind) {
    case Ruling::Kind::none:
      return "none";
    case Ruling::Kind::allowed:
      return "allow";
    case Ruling::Kind::blocked:
      return "block";
    case Ruling::Kind::unproved:
      return "allow-unproved";
  }
  return "none";
}

Ruling rule(const SenderPolicy& senders, const Envelope& envelope, const Message& message,
            const std::function<bool(const std::string& domain)>& is_confirmed) {
  if (senders.allow.empty() && senders.block.empty()) return {};
  const auto all = facts_of(envelope, message);
  // Of several authors a reader may be shown the one that nobody vouches for.
  const auto is_proved = [&] {
    return all.size() == 2 && is_confirmed(all.back().domain);
  };
  const auto always = [] { return true; };
  Ruling unproved;
  for (const SenderFacts& facts : all) {
    if (auto entry = senders.allow.find(facts, is_proved)) {
      return {Ruling::Kind::allowed, std::move(entry)};
    }
    if (auto entry = senders.allow.find(facts, always)) {
      unproved = {Ruling::Kind::unproved, std::move(entry)};
    }
  }
  for (const SenderFacts& facts : all) {
    if (auto entry = senders.block.find(facts, always)) {
      return {Ruling::Kind::blocked, std::move(entry)};
    }
  }
  return unproved;
}

std::optional<Evidence> evidence_of(const Ruling& ruling) {
  if (ruling.kind == Ruling::Kind::allowed) return evidence("allowed-here");
  if (ruling.kind == Ruling::Kind::blocked) return evidence("blocked-here");
  return std::nullopt;
}

}  // namespace mxfeed::spam
