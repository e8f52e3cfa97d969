// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/sender_lists.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

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
  replies_ = client_.replies(end_);
  for (ListReply& one : content_.replies(end_)) replies_.push_back(std::move(one));
  return evidence_of(replies_);
}

void SenderLists::describe(LogFields& fields) const {
  const std::string listed = listed_names(replies_);
  if (!listed.empty()) fields.add("lists", listed);
  const auto unknown = std::ranges::count_if(
      replies_, [](const ListReply& one) { return !is_usable(one.says); });
  if (unknown > 0) fields.add("lists_unknown", static_cast<std::size_t>(unknown));
}

}  // namespace mxfeed::spam
