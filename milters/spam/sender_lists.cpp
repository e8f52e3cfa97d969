// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/sender_lists.h"

#include <chrono>

#include "milters/spam/lists/list_evidence.h"
#include "milters/spam/lists/list_names.h"

namespace mxfeed::spam {
namespace {

using Subject = ScoredList::Subject;

// Answers about the client may come while the message does.
constexpr auto kWhileItComes = std::chrono::seconds(30);

}  // namespace

SenderLists::SenderLists(ListDesk& desk, const GatewayPolicy::Spam& settings,
                         const Envelope& envelope)
    : settings_(settings),
      envelope_(envelope),
      client_(desk, settings.lists),
      content_(desk, settings.lists) {}

void SenderLists::begin() {
  if (has_begun_ || settings_.lists.empty() || !envelope_.client.address) return;
  has_begun_ = true;
  const std::string key = client_key(*envelope_.client.address);
  if (key.empty()) return;
  client_.ask(Subject::client, {key}, std::chrono::steady_clock::now() + kWhileItComes);
}

void SenderLists::ask_about(const Message& message) {
  if (settings_.lists.empty()) return;
  begin();
  end_ = std::chrono::steady_clock::now() + settings_.lists_timeout;
  content_.ask(Subject::url, link_keys(message), end_);
  content_.ask(Subject::sender, sender_keys(envelope_.sender, message), end_);
}

std::vector<Evidence> SenderLists::evidence() {
  std::vector<Listed> listed = client_.listed(end_);
  for (Listed& one : content_.listed(end_)) listed.push_back(std::move(one));
  unknown_ = client_.unknown() + content_.unknown();
  listed_ = to_string(listed);
  return evidence_of(listed);
}

void SenderLists::describe(LogFields& fields) const {
  if (!listed_.empty()) fields.add("lists", listed_);
  if (unknown_ > 0) fields.add("lists_unknown", unknown_);
}

}  // namespace mxfeed::spam
