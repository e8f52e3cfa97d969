// SPDX-License-Identifier: GPL-2.0-or-later
//
// The reply of a name server.  The first octet chooses the type that was asked for; the
// question is whatever the reply says it is, so that the rest is reached.

#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "common/net/dns_message.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace mxfeed::dns;

constexpr RecordType kTypes[] = {RecordType::a,    RecordType::ns,  RecordType::cname,
                                 RecordType::ptr,  RecordType::mx,  RecordType::txt,
                                 RecordType::aaaa, RecordType::tlsa};

// The name at the place of the question, without compression.
std::string asked_name(std::span<const std::uint8_t> reply) {
  std::string name;
  std::size_t at = 12;
  while (at < reply.size() && reply[at] != 0 && reply[at] < 64) {
    const std::size_t size = reply[at++];
    if (reply.size() - at < size) break;
    if (!name.empty()) name += '.';
    name.append(reinterpret_cast<const char*>(&reply[at - 1]) + 1, size);
    at += size;
  }
  return name;
}

bool is_name(const std::string& name) {
  return name.empty() || Question::parse(name, RecordType::a).has_value();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mxfeed::fuzz::require;
  if (size == 0) return 0;
  const std::span<const std::uint8_t> reply(data + 1, size - 1);
  const RecordType type = kTypes[data[0] % std::size(kTypes)];
  auto question = Question::parse(asked_name(reply), type);
  if (!question) question = Question::parse("a.example", type);
  const Answer answer = parse_reply(*question, reply);
  require(answer.is_found() == !answer.records.empty(), "what is found has records");
  require(answer.records.size() <= Answer::kMaxRecords, "records are bounded");
  require(answer.is_temporary() == (answer.trouble != Trouble::none),
          "what is temporary has a reason");
  require(answer.ttl.count() >= 0 && answer.ttl.count() <= 0xFFFFFFFF,
          "a ttl is bounded");
  unsigned preference = 0;
  for (const Record& record : answer.records) {
    if (const auto* const host = std::get_if<HostName>(&record)) {
      require(is_name(host->name), "names are names");
    } else if (const auto* const mx = std::get_if<MailExchange>(&record)) {
      require(is_name(mx->host), "names are names");
      require(mx->preference >= preference, "mail exchanges are sorted");
      preference = mx->preference;
    } else if (const auto* const text = std::get_if<Text>(&record)) {
      require(text->text.size() < size, "text is bounded");
    }
  }
  return 0;
}
