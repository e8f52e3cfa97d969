// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <utility>

#include "common/base/text.h"

namespace mxfeed::dns {
namespace {

constexpr std::size_t kMaxName = 253;  // RFC 1035, 2.3.4, without the length octets
constexpr std::size_t kMaxLabel = 63;

bool is_printable(char c) {
  return c >= ' ' && c <= '~';
}

std::string reversed(std::string_view labels) {
  std::string result;
  for (const std::string_view label : split(labels, '.')) {
    result.insert(0, std::string(label) + (result.empty() ? "" : "."));
  }
  return result;
}

}  // namespace

std::string_view to_string(RecordType type) {
  switch (type) {
    case RecordType::a:
      return "A";
    case RecordType::ns:
      return "NS";
    case RecordType::cname:
      return "CNAME";
    case RecordType::ptr:
      return "PTR";
    case RecordType::mx:
      return "MX";
    case RecordType::txt:
      return "TXT";
    case RecordType::aaaa:
      return "AAAA";
    case RecordType::tlsa:
      return "TLSA";
  }
  return "";
}

std::string_view to_string(Trouble trouble) {
  switch (trouble) {
    case Trouble::none:
      return "";
    case Trouble::timed_out:
      return "timed out";
    case Trouble::server_failure:
      return "server failure";
    case Trouble::refused:
      return "refused";
    case Trouble::malformed:
      return "malformed reply";
    case Trouble::no_server:
      return "no name server can be reached";
    case Trouble::unsendable:
      return "unusual characters in the name";
    case Trouble::overloaded:
      return "too many questions";
    case Trouble::stopped:
      return "stopped";
  }
  return "";
}

std::optional<Question> Question::parse(std::string_view name, RecordType type) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxName) return std::nullopt;
  if (!std::all_of(name.begin(), name.end(), is_printable)) return std::nullopt;
  for (const std::string_view label : split(name, '.')) {
    if (label.empty() || label.size() > kMaxLabel) return std::nullopt;
  }
  return Question(ascii_lower(name), type);
}

std::string dotted(const IpAddress& address) {
  if (address.is_v4()) return address.str();
  in6_addr octets{};
  ::inet_pton(AF_INET6, address.str().c_str(), &octets);
  std::string result;
  const auto* const first = reinterpret_cast<const char*>(octets.s6_addr);
  for (const char digit : to_hex({first, sizeof octets.s6_addr})) {
    if (!result.empty()) result += '.';
    result += digit >= 'a' ? static_cast<char>(digit - 'a' + 'A') : digit;
  }
  return result;
}

std::string list_key(const IpAddress& address) {
  return ascii_lower(reversed(dotted(address)));
}

std::string reverse_name(const IpAddress& address) {
  return list_key(address) + (address.is_v4() ? ".in-addr.arpa" : ".ip6.arpa");
}

Answer Answer::found(std::vector<Record> records, std::chrono::seconds ttl) {
  Answer answer;
  answer.status = Status::found;
  answer.records = std::move(records);
  answer.ttl = ttl;
  return answer;
}

Answer Answer::absent(bool name_exists, std::chrono::seconds ttl) {
  Answer answer;
  answer.status = Status::absent;
  answer.name_exists = name_exists;
  answer.ttl = ttl;
  return answer;
}

Answer Answer::temporary(Trouble trouble) {
  Answer answer;
  answer.trouble = trouble;
  return answer;
}

}  // namespace mxfeed::dns
