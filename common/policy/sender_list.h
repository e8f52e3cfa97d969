// SPDX-License-Identifier: GPL-2.0-or-later
//
// A list of senders in the policy: networks, names of hosts, mail addresses.  It is kept
// as it is stored, so that a policy with a list is as cheap to read as one without.

#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/mail/address.h"
#include "common/mail/envelope.h"

namespace mxfeed {

// What of a message a list is compared with.
struct SenderFacts {
  std::optional<IpAddress> address;
  std::string host;        // the forward-confirmed name, lower case; empty if none
  std::string local_part;  // of the sender, lower case; both empty for the null sender
  std::string domain;      // A-labels; as received, in lower case, if it is no Domain

  static SenderFacts of(const Client& client, std::string_view sender);
};

// One entry:
//   "192.0.2.0/24", "2001:db8::7"  a network, or an address
//   "mail.shop.example"            a host
//   ".shop.example"                all hosts below
//   "user@shop.example"            a sender
//   "@shop.example"                all senders of the domain and of those below
class ListEntry {
 public:
  enum class Kind : char {
    network = 'n',
    host = 'h',
    hosts_below = 'b',
    sender = 's',
    senders_of = 'd',
  };

  // The entry, or why the text is none: a clause that follows the text in a message.
  // Takes any case, U-labels and a final dot.
  static std::variant<ListEntry, std::string> parse(std::string_view text);
  // Nothing if the bytes are no entry.
  static std::optional<ListEntry> from_bytes(std::string_view bytes);

  Kind kind() const { return static_cast<Kind>(bytes_.front()); }
  // An address of a sender counts only if SPF confirms it.
  bool needs_spf() const { return kind() == Kind::sender || kind() == Kind::senders_of; }
  const std::string& bytes() const { return bytes_; }
  // As parse() takes it: lower case, A-labels.
  std::string str() const;

  bool operator==(const ListEntry&) const = default;

 private:
  ListEntry(Kind kind, std::string_view content)
      : bytes_(std::string(1, static_cast<char>(kind)).append(content)) {}
  std::string bytes_;  // the kind; a network's length in bits and its octets, or the name
};

class SenderList {
 public:
  static constexpr std::size_t kMostEntries = 500;

  SenderList() = default;
  // Nothing if the bytes are no list.
  static std::optional<SenderList> from_bytes(std::string_view bytes);
  const std::string& bytes() const { return bytes_; }

  bool empty() const { return bytes_.empty(); }
  std::vector<ListEntry> entries() const;
  bool has(const ListEntry& entry) const;
  void add(const ListEntry& entry);

  // The entry that names the sender, if there is one.  `is_confirmed` tells whether SPF
  // confirms the sender's domain: it is asked at most once, and only if nothing but such
  // entries name the sender.
  std::optional<ListEntry> find(const SenderFacts& facts,
                                const std::function<bool()>& is_confirmed) const;

  bool operator==(const SenderList&) const = default;

 private:
  std::string bytes_;  // each entry behind its length
};

}  // namespace mxfeed
