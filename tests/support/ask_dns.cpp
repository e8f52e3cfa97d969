// SPDX-License-Identifier: GPL-2.0-or-later
//
// Asks the resolver of common/net, which asks the servers of /etc/resolv.conf:
//
//   ask_dns MILLISECONDS TYPE NAME          "found 60", then a record a line; "absent no
//                                           name", "absent no record", "temporary REASON"
//   ask_dns MILLISECONDS spf IP HELO SENDER "pass ip4:192.0.2.1", "fail all EXPLANATION"
//
// The budget is in MILLISECONDS.

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/base/text.h"
#include "common/net/resolver.h"
#include "common/net/spf.h"

namespace {

using namespace mxfeed;

struct Printer {
  void operator()(const IpAddress& address) const { fmt::print("{}\n", address.str()); }
  void operator()(const dns::HostName& host) const { fmt::print("{}\n", host.name); }
  void operator()(const dns::Text& text) const {
    fmt::print("{}\n", escape_line(text.text));
  }
  void operator()(const dns::MailExchange& mx) const {
    fmt::print("{} {}\n", mx.preference, mx.host);
  }
  void operator()(const dns::Tlsa& tlsa) const {
    fmt::print("{} {} {} {}\n", tlsa.usage, tlsa.selector, tlsa.matching_type,
               to_hex(tlsa.association_data));
  }
};

void print(const dns::Answer& answer) {
  switch (answer.status) {
    case dns::Status::found:
      fmt::print("found {}\n", answer.ttl.count());
      for (const auto& record : answer.records) std::visit(Printer{}, record);
      break;
    case dns::Status::absent:
      fmt::print("absent no {}\n", answer.name_exists ? "record" : "name");
      break;
    case dns::Status::temporary:
      fmt::print("temporary {}\n", to_string(answer.trouble));
      break;
  }
}

std::optional<dns::RecordType> parse_type(std::string_view text) {
  using dns::RecordType;
  for (const auto type :
       {RecordType::a, RecordType::ns, RecordType::cname, RecordType::ptr, RecordType::mx,
        RecordType::txt, RecordType::aaaa, RecordType::tlsa}) {
    if (to_string(type) == text) return type;
  }
  return std::nullopt;
}

}  // namespace

int main(int count, char** words) {
  const auto budget =
      std::chrono::milliseconds(count > 1 ? parse_unsigned(words[1]).value_or(0) : 0);
  dns::Resolver resolver(dns::ResolverSettings{});
  const auto deadline = std::chrono::steady_clock::now() + budget;
  if (count == 6 && std::string_view(words[2]) == "spf") {
    const auto ip = IpAddress::parse(words[3]);
    if (!ip) return 2;
    auto lookup = resolver.by(deadline);
    const auto verdict = spf::check_mail_from({*ip, words[4], words[5]}, lookup);
    fmt::print("{} {} {}\n", to_string(verdict.result), verdict.mechanism,
               verdict.explanation);
    return 0;
  }
  const auto type = count == 4 ? parse_type(words[2]) : std::nullopt;
  const auto question = type ? dns::Question::parse(words[3], *type) : std::nullopt;
  if (!question) return 2;
  print(resolver.ask(*question, deadline));
  return 0;
}
