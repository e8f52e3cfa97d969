// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/commands/lists_view.h"

#include <fmt/format.h>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/mail/envelope.h"
#include "common/net/resolver.h"
#include "milters/spam/commands/recorded.h"
#include "milters/spam/lists/list_names.h"
#include "milters/spam/lists/own_resolver.h"
#include "milters/spam/sender_lists.h"

namespace mxfeed::spam {
namespace {

Envelope recorded_envelope(const Message& message, const GatewayPolicy& gateway) {
  Envelope envelope;
  envelope.client.address = recorded_client(message, gateway);
  const auto sender = recorded_sender(message);
  if (sender && sender->identity == SenderIdentity::mail_from &&
      !sender->domain.empty()) {
    envelope.sender = "@" + sender->domain;  // the domain is all that lists are asked for
  }
  return envelope;
}

std::string note_of(const std::optional<IpAddress>& client) {
  if (!client) return "no client known";
  if (client_key(*client).empty()) return "no list has the client " + client->str();
  return "";
}

}  // namespace

ListsView ask_lists(const Message& message, const GatewayPolicy& gateway,
                    ListDesk& desk) {
  const Envelope envelope = recorded_envelope(message, gateway);
  SenderLists lists(desk, gateway.spam, envelope);
  lists.ask_about(message);
  const auto evidence = lists.evidence();
  return {note_of(envelope.client.address), lists.replies(), evidence};
}

ListsView ask_lists(const Message& message, const GatewayPolicy& gateway) {
  if (gateway.spam.lists.empty()) return {"none is configured", {}, {}};
  try {
    const std::string obstacle =
        why_not_asked(read_file("/etc/resolv.conf").value_or(""));
    if (!obstacle.empty()) return {"not asked: " + obstacle, {}, {}};
    dns::Resolver resolver({});
    ListDesk desk(asking(resolver));
    return ask_lists(message, gateway, desk);
  } catch (const Fault& fault) {
    return {fmt::format("not asked: {}", fault.what()), {}, {}};
  }
}

std::string lines_of(const ListsView& lists) {
  std::string text;
  for (const ListReply& one : lists.replies) {
    text += fmt::format("DNS list: {}.{} ({}, {:.2f}): {}\n", escape_untrusted(one.key),
                        one.list->zone(), to_string(one.list->subject()),
                        one.list->log_odds(), to_string(one.says));
  }
  if (!lists.note.empty()) {
    text += fmt::format("DNS lists: {}\n", escape_untrusted(lists.note));
  }
  return text;
}

Json json_of(const ListsView& lists) {
  Json all = Json::list();
  for (const ListReply& one : lists.replies) {
    all.add(Json::object()
                .set("zone", one.list->zone())
                .set("subject", to_string(one.list->subject()))
                .set("key", one.key)
                .set("logit", one.list->log_odds())
                .set("says", to_string(one.says)));
  }
  return all;
}

}  // namespace mxfeed::spam
