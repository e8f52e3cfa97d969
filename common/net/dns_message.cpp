// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/dns_message.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/text.h"

namespace mxfeed::dns {
namespace {

using Octets = std::span<const std::uint8_t>;

constexpr std::size_t kHeaderSize = 12;
constexpr std::size_t kMaxPointers = 127;  // a name has no more labels
constexpr unsigned kMaxAliases = 16;
constexpr std::uint16_t kInternet = 1;
constexpr std::uint16_t kSoa = 6;

// RFC 1035, 4.1.1.
constexpr unsigned kIsReply = 0x8000;
constexpr unsigned kOpcode = 0x7800;
constexpr unsigned kIsTruncated = 0x0200;
constexpr unsigned kResponseCode = 0x000F;
enum ResponseCode : unsigned { no_error = 0, name_error = 3, refused = 5 };

// Reads forward through a message.  After the end, or a malformed name, is_good() is
// false and all values are 0.
class Reader {
 public:
  Reader(Octets message, std::size_t at, std::size_t end)
      : message_(message), at_(at), end_(std::min(end, message.size())) {}

  bool is_good() const { return good_; }
  bool is_at_end() const { return at_ == end_; }
  std::size_t at() const { return at_; }

  unsigned number(unsigned octets) {
    unsigned value = 0;
    for (const std::uint8_t octet : take(octets)) value = value << 8U | octet;
    return value;
  }

  Octets take(std::size_t count) {
    if (!good_ || end_ - at_ < count) {
      good_ = false;
      return {};
    }
    at_ += count;
    return message_.subspan(at_ - count, count);
  }

  // RFC 1035, 4.1.4.  A name that is not in our form is skipped, and nothing.
  std::optional<std::string> name() {
    std::string text;
    bool is_ours = true;
    std::size_t at = at_;
    std::size_t end = end_;
    std::size_t length = 1;
    unsigned pointers = 0;
    while (good_) {
      if (at >= end) return bad();
      const std::size_t octet = message_[at++];
      if (octet >= 0xC0) {
        if (at >= end || ++pointers > kMaxPointers) return bad();
        const std::size_t target = (octet & 0x3FU) << 8U | message_[at++];
        if (pointers == 1) at_ = at;
        // Names are compressed towards earlier ones.
        if (target >= at - 2) return bad();
        at = target;
        end = message_.size();
        continue;
      }
      if (octet > 63) return bad();
      if (octet == 0) break;
      length += octet + 1;
      if (end - at < octet || length > 255) return bad();
      if (!text.empty()) text += '.';
      for (const std::uint8_t c : message_.subspan(at, octet)) {
        is_ours = is_ours && c >= ' ' && c <= '~' && c != '.';
        text += ascii_lower(static_cast<char>(c));
      }
      at += octet;
    }
    if (!good_) return std::nullopt;
    if (pointers == 0) at_ = at;
    if (!is_ours) return std::nullopt;
    return text;
  }

 private:
  std::nullopt_t bad() {
    good_ = false;
    return std::nullopt;
  }

  Octets message_;
  std::size_t at_;
  std::size_t end_;
  bool good_ = true;
};

struct ResourceRecord {
  std::optional<std::string> owner;
  std::uint16_t type = 0;
  std::uint16_t record_class = 0;
  std::chrono::seconds ttl{0};
  std::size_t data_at = 0;
  std::size_t data_end = 0;
};

ResourceRecord read_record(Reader& reader) {
  ResourceRecord record;
  record.owner = reader.name();
  record.type = static_cast<std::uint16_t>(reader.number(2));
  record.record_class = static_cast<std::uint16_t>(reader.number(2));
  const unsigned ttl = reader.number(4);
  // RFC 2181, 8: the first bit set means zero.
  record.ttl = std::chrono::seconds(ttl > 0x7FFFFFFF ? 0 : ttl);
  const unsigned size = reader.number(2);
  record.data_at = reader.at();
  record.data_end = record.data_at + size;
  reader.take(size);
  return record;
}

std::optional<IpAddress> read_address(Octets data) {
  if (data.size() == 4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, data.data(), data.size());
    return IpAddress::from_socket(reinterpret_cast<const sockaddr*>(&v4));
  }
  if (data.size() == 16) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    std::memcpy(&v6.sin6_addr, data.data(), data.size());
    return IpAddress::from_socket(reinterpret_cast<const sockaddr*>(&v6));
  }
  return std::nullopt;
}

std::string as_string(Octets octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

// The record; nothing if its name is not in our form.  The reader is no longer good, or
// not at its end, if the data is malformed.
std::optional<Record> read_data(RecordType type, Reader& data, std::size_t size) {
  switch (type) {
    case RecordType::a:
    case RecordType::aaaa: {
      const auto address = read_address(data.take(type == RecordType::a ? 4 : 16));
      if (address) return Record(*address);
      return std::nullopt;
    }
    case RecordType::ns:
    case RecordType::cname:
    case RecordType::ptr: {
      const auto name = data.name();
      if (name) return Record(HostName{*name});
      return std::nullopt;
    }
    case RecordType::mx: {
      const auto preference = static_cast<std::uint16_t>(data.number(2));
      const auto name = data.name();
      if (name) return Record(MailExchange{preference, *name});
      return std::nullopt;
    }
    case RecordType::txt: {
      Text text;
      while (data.is_good() && !data.is_at_end()) {
        text.text += as_string(data.take(data.number(1)));
      }
      return Record(std::move(text));
    }
    case RecordType::tlsa: {
      Tlsa tlsa;
      tlsa.usage = static_cast<std::uint8_t>(data.number(1));
      tlsa.selector = static_cast<std::uint8_t>(data.number(1));
      tlsa.matching_type = static_cast<std::uint8_t>(data.number(1));
      if (size > 3) tlsa.association_data = as_string(data.take(size - 3));
      return Record(std::move(tlsa));
    }
  }
  return std::nullopt;
}

struct Alias {
  std::optional<std::string> target;
  std::chrono::seconds ttl;
};

// RFC 2308, 5.
std::chrono::seconds negative_ttl(Octets reply, Reader& reader, unsigned records) {
  for (unsigned i = 0; i < records && reader.is_good(); ++i) {
    const ResourceRecord record = read_record(reader);
    if (!reader.is_good() || record.type != kSoa || record.record_class != kInternet) {
      continue;
    }
    Reader data(reply, record.data_at, record.data_end);
    data.name();
    data.name();
    data.take(16);
    const std::chrono::seconds minimum(data.number(4));
    if (data.is_good()) return std::min(minimum, record.ttl);
  }
  return std::chrono::seconds{0};
}

}  // namespace

Answer parse_reply(const Question& question, Octets reply) {
  Answer malformed = Answer::temporary(Trouble::malformed);
  if (reply.size() < kHeaderSize) return malformed;
  Reader reader(reply, 2, reply.size());
  const unsigned flags = reader.number(2);
  const unsigned questions = reader.number(2);
  const unsigned answers = reader.number(2);
  const unsigned authorities = reader.number(2);
  reader.number(2);
  if ((flags & kIsReply) == 0 || (flags & kOpcode) != 0 || (flags & kIsTruncated) != 0) {
    return malformed;
  }
  const unsigned code = flags & kResponseCode;
  if (code != no_error && code != name_error) {
    return Answer::temporary(code == refused ? Trouble::refused
                                             : Trouble::server_failure);
  }
  if (questions != 1) return malformed;
  const auto asked = reader.name();
  const unsigned type = reader.number(2);
  const unsigned asked_class = reader.number(2);
  if (!reader.is_good() || asked != question.name() ||
      type != static_cast<unsigned>(question.type()) || asked_class != kInternet) {
    return malformed;
  }

  std::vector<ResourceRecord> wanted;
  std::map<std::string, Alias> aliases;
  for (unsigned i = 0; i < answers; ++i) {
    ResourceRecord record = read_record(reader);
    if (!reader.is_good()) return malformed;
    if (!record.owner || record.record_class != kInternet) continue;
    if (record.type == type) {
      wanted.push_back(std::move(record));
    } else if (record.type == static_cast<unsigned>(RecordType::cname)) {
      Reader data(reply, record.data_at, record.data_end);
      auto target = data.name();
      if (!data.is_good()) return malformed;
      aliases.emplace(*record.owner, Alias{std::move(target), record.ttl});
    }
  }

  std::string owner = question.name();
  auto ttl = std::chrono::seconds::max();
  for (unsigned hops = 0;; ++hops) {
    const auto alias = aliases.find(owner);
    if (alias == aliases.end()) break;
    if (!alias->second.target || hops == kMaxAliases) return malformed;
    owner = *alias->second.target;
    ttl = std::min(ttl, alias->second.ttl);
  }

  std::vector<Record> records;
  bool is_one_skipped = false;
  for (const ResourceRecord& record : wanted) {
    if (record.owner != owner || records.size() == Answer::kMaxRecords) continue;
    Reader data(reply, record.data_at, record.data_end);
    auto value = read_data(question.type(), data, record.data_end - record.data_at);
    if (!data.is_good() || !data.is_at_end()) return malformed;
    ttl = std::min(ttl, record.ttl);
    if (value) {
      records.push_back(std::move(*value));
    } else {
      is_one_skipped = true;
    }
  }
  if (records.empty()) {
    if (is_one_skipped) return malformed;
    const auto negative = negative_ttl(reply, reader, authorities);
    return Answer::absent(code == no_error, std::min(ttl, negative));
  }
  if (question.type() == RecordType::mx) {
    std::stable_sort(records.begin(), records.end(),
                     [](const Record& a, const Record& b) {
                       return std::get<MailExchange>(a).preference <
                              std::get<MailExchange>(b).preference;
                     });
  }
  return Answer::found(std::move(records), ttl);
}

}  // namespace mxfeed::dns
