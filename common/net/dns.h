// SPDX-License-Identifier: GPL-2.0-or-later
//
// DNS questions and answers as values (RFC 1034, RFC 1035).  common/net/resolver.h asks.
//
// Names are text: labels separated by dots, lower case, without a final dot.  A label may
// have spaces and any printable ASCII octet but a dot; backslashes do not escape
// anything. IDNs are A-labels.

#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/mail/address.h"

namespace mxfeed::dns {

// By their numbers on the wire.
enum class RecordType : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  tlsa = 52,
};

// "A", "MX" and so on.
std::string_view to_string(RecordType type);

class Question {
 public:
  // Takes upper case and a final dot.  Nothing if no such name can exist: an empty label,
  // a label of more than 63 octets, a name of more than 253, an octet that is not
  // printable ASCII or a space.
  static std::optional<Question> parse(std::string_view name, RecordType type);

  const std::string& name() const { return name_; }
  RecordType type() const { return type_; }
  auto operator<=>(const Question&) const = default;

 private:
  Question(std::string name, RecordType type) : name_(std::move(name)), type_(type) {}
  std::string name_;
  RecordType type_;
};

// The address as labels: "192.0.2.1"; for IPv6 a label for each of the 32 hexadecimal
// digits, "2.0.0.1.0.D.B.8...".
std::string dotted(const IpAddress& address);
// Where the PTR records of the address are: "1.2.0.192.in-addr.arpa".
std::string reverse_name(const IpAddress& address);
// The address as a list has it, before its zone (RFC 5782, 2.1 and 2.4): "1.2.0.192".
std::string list_key(const IpAddress& address);

// Of NS, CNAME and PTR.
struct HostName {
  std::string name;
  bool operator==(const HostName&) const = default;
};

// Of TXT: the strings joined without a separator.  Any octets.
struct Text {
  std::string text;
  bool operator==(const Text&) const = default;
};

struct MailExchange {
  std::uint16_t preference;
  std::string host;  // "" is the root: the domain takes no mail (RFC 7505)
  bool operator==(const MailExchange&) const = default;
};

// RFC 6698, 2.1.
struct Tlsa {
  std::uint8_t usage;
  std::uint8_t selector;
  std::uint8_t matching_type;
  std::string association_data;  // octets
  bool operator==(const Tlsa&) const = default;
};

using Record = std::variant<IpAddress, HostName, Text, MailExchange, Tlsa>;

enum class Status {
  found,
  absent,     // proved: the name, or the record, does not exist
  temporary,  // not known now
};

// Why an answer is temporary.
enum class Trouble {
  none,
  timed_out,
  server_failure,  // SERVFAIL, or a rare answer such as NOTIMP
  refused,
  malformed,   // the reply is not a valid one
  no_server,   // no server can be reached
  unsendable,  // the library does not send such a name (libcares 1.34: only letters,
               // digits and -_/*)
  overloaded,  // too many questions wait already
  stopped,     // the resolver is being destroyed
};

std::string_view to_string(Trouble trouble);

struct Answer {
  static constexpr std::size_t kMaxRecords = 500;  // further ones are left out

  static Answer found(std::vector<Record> records, std::chrono::seconds ttl);
  static Answer absent(bool name_exists, std::chrono::seconds ttl);
  static Answer temporary(Trouble trouble);

  bool is_found() const { return status == Status::found; }
  bool is_absent() const { return status == Status::absent; }
  bool is_temporary() const { return status == Status::temporary; }

  // All records of a question have one type: IpAddress of A and AAAA, HostName, Text,
  // MailExchange or Tlsa.
  template <typename T>
  std::vector<T> all() const {
    std::vector<T> result;
    for (const Record& record : records) {
      if (const T* const value = std::get_if<T>(&record)) result.push_back(*value);
    }
    return result;
  }

  bool operator==(const Answer&) const = default;

  Status status = Status::temporary;
  // Not empty if found; else empty.  Aliases (CNAME) are followed and left out.  Mail
  // exchanges are in the order of preference, others in that of the reply.
  std::vector<Record> records;
  bool name_exists = false;  // if absent: NODATA, not NXDOMAIN
  // As in the reply, the least of all records used; if absent, from the SOA record (RFC
  // 2308, 5), 0 without one.  Not counted down in the cache.
  std::chrono::seconds ttl{0};
  Trouble trouble = Trouble::none;
};

// Answers questions, within a time of its own.  Rules that need DNS take one of these, so
// that tests need no network.
class Lookup {
 public:
  virtual ~Lookup() = default;
  virtual Answer ask(const Question& question) = 0;

 protected:
  Lookup() = default;
  Lookup(const Lookup&) = default;
  Lookup& operator=(const Lookup&) = default;
};

}  // namespace mxfeed::dns
