// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/policy/sender_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "common/policy/tagged_value.h"

namespace mxfeed {
namespace {

using Kind = ListEntry::Kind;

constexpr std::string_view kForms =
    "is neither a network (\"192.0.2.0/24\") nor a host (\"mail.shop.example\", "
    "\".shop.example\") nor a sender (\"user@shop.example\", \"@shop.example\")";

// A name of two labels at least: one label would name a whole top-level domain.
std::optional<std::string> name_of(std::string_view text) {
  const auto domain = Domain::parse(text);
  if (!domain || domain->str().find('.') == std::string::npos) return std::nullopt;
  return domain->str();
}

bool is_plain(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

std::string content_of(const Network& network) {
  return static_cast<char>(network.bits) + network.base.octets();
}

// Of a network's content.
std::optional<Network> network_of(std::string_view content) {
  if (content.empty()) return std::nullopt;
  const auto base = IpAddress::from_octets(content.substr(1));
  const unsigned bits = static_cast<unsigned char>(content.front());
  if (!base || bits == 0 || bits > (base->is_v4() ? 32u : 128u)) return std::nullopt;
  return Network{*base, bits};
}

// "a.b.example" of "b.example"; not the name itself.
bool is_below(std::string_view name, std::string_view parent) {
  return name.size() > parent.size() && name.ends_with(parent) &&
         name[name.size() - parent.size() - 1] == '.';
}

bool names(std::string_view entry, const SenderFacts& facts) {
  const std::string_view content = entry.substr(1);
  switch (static_cast<Kind>(entry.front())) {
    case Kind::network: {
      const auto network = network_of(content);
      return network && facts.address && network->contains(*facts.address);
    }
    case Kind::host:
      return facts.host == content;
    case Kind::hosts_below:
      return is_below(facts.host, content);
    case Kind::sender: {
      const auto at = content.rfind('@');
      return facts.domain == content.substr(at + 1) &&
             facts.local_part == content.substr(0, at);
    }
    case Kind::senders_of:
      return facts.domain == content || is_below(facts.domain, content);
  }
  return false;
}

bool is_entry(std::string_view bytes) {
  if (bytes.size() < 2) return false;
  const std::string_view content = bytes.substr(1);
  switch (static_cast<Kind>(bytes.front())) {
    case Kind::network:
      return network_of(content).has_value();
    case Kind::host:
    case Kind::hosts_below:
    case Kind::senders_of:
      return true;
    case Kind::sender:
      return content.find('@') != std::string_view::npos;
  }
  return false;
}

// each(std::string_view entry) until it returns false.
template <typename F>
void visit(std::string_view bytes, const F& each) {
  while (!bytes.empty()) {
    const auto entry = take_bytes(bytes);
    if (!entry || !each(*entry)) return;
  }
}

}  // namespace

SenderFacts SenderFacts::of(const Client& client, std::string_view sender) {
  SenderFacts facts;
  facts.address = client.address;
  facts.host = ascii_lower(client.name);
  if (facts.host.ends_with('.')) facts.host.pop_back();
  const auto path = Path::parse(sender);
  if (!path) return facts;
  const auto domain = Domain::parse(path->domain);
  facts.local_part = ascii_lower(path->local_part);
  facts.domain = domain ? domain->str() : ascii_lower(path->domain);
  return facts;
}

std::variant<ListEntry, std::string> ListEntry::parse(std::string_view text) {
  if (text.starts_with('@')) {
    if (const auto name = name_of(text.substr(1))) {
      return ListEntry(Kind::senders_of, *name);
    }
    return std::string(kForms);
  }
  if (text.find('@') != std::string_view::npos) {
    const auto path = Path::parse(text);
    const auto name = path ? name_of(path->domain) : std::nullopt;
    if (!name || path->local_part.empty() || !is_plain(path->local_part)) {
      return std::string(kForms);
    }
    return ListEntry(Kind::sender, ascii_lower(path->local_part) + '@' + *name);
  }
  if (const auto network = Network::parse(text)) {
    if (network->bits == 0) {
      return std::string("is every client: \"when\" is the setting for that");
    }
    const Network wanted = *Network::parse(network->str());
    if (wanted != *network) {
      return fmt::format("has bits set after its prefix; did you mean \"{}\"?",
                         wanted.str());
    }
    return ListEntry(Kind::network, content_of(wanted));
  }
  if (text.starts_with("*.")) {
    return fmt::format("has a wildcard; for all hosts below a domain write \"{}\"",
                       escape_untrusted(text.substr(1)));
  }
  const bool is_dotted = text.starts_with('.');
  const auto name = name_of(text.substr(is_dotted ? 1 : 0));
  if (!name) return std::string(kForms);
  return ListEntry(is_dotted ? Kind::hosts_below : Kind::host, *name);
}

std::optional<ListEntry> ListEntry::from_bytes(std::string_view bytes) {
  if (!is_entry(bytes)) return std::nullopt;
  return ListEntry(static_cast<Kind>(bytes.front()), bytes.substr(1));
}

std::string ListEntry::str() const {
  const std::string content = bytes_.substr(1);
  switch (kind()) {
    case Kind::network: {
      const auto network = network_of(content);
      const bool is_one = network->bits == (network->base.is_v4() ? 32u : 128u);
      return is_one ? network->base.str() : network->str();
    }
    case Kind::host:
      return content;
    case Kind::hosts_below:
      return "." + content;
    case Kind::sender: {
      const auto at = content.rfind('@');
      return Path{content.substr(0, at), content.substr(at + 1)}.str();
    }
    case Kind::senders_of:
      return "@" + content;
  }
  return content;
}

std::optional<SenderList> SenderList::from_bytes(std::string_view bytes) {
  SenderList list;
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto entry = take_bytes(rest);
    if (!entry || !is_entry(*entry)) return std::nullopt;
  }
  list.bytes_ = bytes;
  return list;
}

std::vector<ListEntry> SenderList::entries() const {
  std::vector<ListEntry> all;
  visit(bytes_, [&](std::string_view entry) {
    all.push_back(*ListEntry::from_bytes(entry));
    return true;
  });
  return all;
}

bool SenderList::has(const ListEntry& wanted) const {
  bool found = false;
  visit(bytes_, [&](std::string_view entry) {
    found = entry == wanted.bytes();
    return !found;
  });
  return found;
}

void SenderList::add(const ListEntry& entry) {
  put_varint(bytes_, entry.bytes().size());
  bytes_ += entry.bytes();
}

std::optional<ListEntry> SenderList::find(
    const SenderFacts& facts, const std::function<bool()>& is_confirmed) const {
  std::optional<ListEntry> found, unconfirmed;
  visit(bytes_, [&](std::string_view bytes) {
    if (!names(bytes, facts)) return true;
    auto entry = ListEntry::from_bytes(bytes);
    if (!entry->needs_spf()) {
      found = std::move(entry);
    } else if (!unconfirmed) {
      unconfirmed = std::move(entry);
    }
    return !found.has_value();
  });
  if (found || !unconfirmed || !is_confirmed()) return found;
  return unconfirmed;
}

}  // namespace mxfeed
