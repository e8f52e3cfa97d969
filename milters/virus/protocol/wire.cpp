// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/protocol/wire.h"

#include <type_traits>
#include <utility>

namespace mxfeed::virus {
namespace {

constexpr std::string_view kRequestMark = "MXSQ";
constexpr std::string_view kResultMark = "MXSR";

enum class RequestTag : std::uint8_t { size = 1, lists_attachments = 2 };
enum class ResultTag : std::uint8_t {
  verdict = 1,
  name = 2,
  fault = 3,
  parts_fed = 4,
  signatures = 5,
  attachment_kinds = 6,
  attachment_suffixes = 7,
  attachments_have_more = 8,
};

template <typename Tag>
void put(std::string& to, Tag tag, std::string_view value) {
  to += static_cast<char>(tag);
  to += static_cast<char>(value.size() & 0xff);
  to += static_cast<char>(value.size() >> 8 & 0xff);
  to += value;
}

template <typename Tag, typename Number>
void put_number(std::string& to, Tag tag, Number value) {
  static_assert(std::is_unsigned_v<Number>);
  std::string bytes;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    bytes += static_cast<char>(value >> (8 * i) & 0xff);
  }
  put(to, tag, bytes);
}

// Nothing for a number of another size.
template <typename Number>
std::optional<Number> number_of(std::string_view bytes) {
  static_assert(std::is_unsigned_v<Number>);
  if (bytes.size() != sizeof(Number)) return std::nullopt;
  Number value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    value = static_cast<Number>(
        value | static_cast<Number>(static_cast<unsigned char>(bytes[i])) << (8 * i));
  }
  return value;
}

// Calls `take` with each field; false if the datagram is malformed or `take` returns
// false.
template <typename Tag, typename Take>
bool take_fields(std::string_view datagram, std::size_t most, std::string_view mark,
                 const Take& take) {
  if (datagram.size() > most || !datagram.starts_with(mark)) return false;
  datagram.remove_prefix(mark.size());
  constexpr std::size_t kHead = 3;
  while (!datagram.empty()) {
    if (datagram.size() < kHead) return false;
    const auto byte = [&](std::size_t at) {
      return static_cast<unsigned char>(datagram[at]);
    };
    const std::size_t length = byte(1) + (std::size_t{byte(2)} << 8);
    if (datagram.size() < kHead + length) return false;
    if (!take(static_cast<Tag>(byte(0)), datagram.substr(kHead, length))) return false;
    datagram.remove_prefix(kHead + length);
  }
  return true;
}

// Sets the number; false if the field has another size.
template <typename Number>
bool set(Number& to, std::string_view field) {
  const auto value = number_of<Number>(field);
  if (value) to = *value;
  return value.has_value();
}

}  // namespace

std::string encode(const ScanRequest& request) {
  std::string datagram(kRequestMark);
  put_number(datagram, RequestTag::size, request.size);
  if (request.lists_attachments) {
    put_number(datagram, RequestTag::lists_attachments, std::uint8_t{1});
  }
  return datagram;
}

std::string encode(const ScanResult& result) {
  std::string datagram(kResultMark);
  put_number(datagram, ResultTag::verdict, static_cast<std::uint8_t>(result.verdict));
  put(datagram, ResultTag::name, std::string_view(result.name).substr(0, kMaxName));
  put_number(datagram, ResultTag::fault, static_cast<std::uint8_t>(result.fault));
  put_number(datagram, ResultTag::parts_fed, result.parts_fed);
  put_number(datagram, ResultTag::signatures, result.signatures);
  if (const auto& list = result.attachments) {
    put_number(datagram, ResultTag::attachment_kinds, list->kinds.bits());
    put(datagram, ResultTag::attachment_suffixes, join_suffixes(*list));
    put_number(datagram, ResultTag::attachments_have_more,
               static_cast<std::uint8_t>(list->has_more));
  }
  return datagram;
}

std::optional<ScanRequest> decode_request(std::string_view datagram) {
  std::optional<std::uint64_t> size;
  std::uint8_t lists_attachments = 0;
  const auto take = [&](RequestTag tag, std::string_view field) {
    switch (tag) {
      case RequestTag::size:
        size = number_of<std::uint64_t>(field);
        return size.has_value();
      case RequestTag::lists_attachments:
        return set(lists_attachments, field);
    }
    return true;  // a field of a later version
  };
  if (!take_fields<RequestTag>(datagram, kMaxRequest, kRequestMark, take) || !size ||
      *size > kMaxMessage) {
    return std::nullopt;
  }
  return ScanRequest{*size, lists_attachments != 0};
}

std::optional<ScanResult> decode_result(std::string_view datagram) {
  ScanResult result;
  std::optional<std::uint8_t> verdict;
  std::uint8_t fault = 0;
  // The kinds are always there if the attachments are listed.
  std::optional<std::uint32_t> kinds;
  std::uint8_t has_more = 0;
  AttachmentList list;
  const auto take = [&](ResultTag tag, std::string_view field) {
    switch (tag) {
      case ResultTag::verdict:
        verdict = number_of<std::uint8_t>(field);
        return verdict.has_value();
      case ResultTag::name:
        result.name = field;
        return field.size() <= kMaxName;
      case ResultTag::fault:
        return set(fault, field);
      case ResultTag::parts_fed:
        return set(result.parts_fed, field);
      case ResultTag::signatures:
        return set(result.signatures, field);
      case ResultTag::attachment_kinds:
        kinds = number_of<std::uint32_t>(field);
        return kinds.has_value();
      case ResultTag::attachment_suffixes:
        return split_suffixes(field, list);
      case ResultTag::attachments_have_more:
        return set(has_more, field);
    }
    return true;  // a field of a later version
  };
  if (!take_fields<ResultTag>(datagram, kMaxResult, kResultMark, take) || !verdict ||
      *verdict > static_cast<std::uint8_t>(ScanVerdict::error)) {
    return std::nullopt;
  }
  result.verdict = static_cast<ScanVerdict>(*verdict);
  result.fault = fault > static_cast<std::uint8_t>(ScanFault::message)
                     ? ScanFault::engine
                     : static_cast<ScanFault>(fault);
  if (kinds) {
    list.kinds = AttachmentKinds::from_bits(*kinds);
    list.has_more = has_more != 0;
    result.attachments = std::move(list);
  }
  return result;
}

std::string_view to_string(ScanVerdict verdict) {
  switch (verdict) {
    case ScanVerdict::clean:
      return "clean";
    case ScanVerdict::infected:
      return "infected";
    case ScanVerdict::unscannable:
      return "unscannable";
    case ScanVerdict::encrypted:
      return "encrypted";
    case ScanVerdict::error:
      return "error";
  }
  return "error";
}

}  // namespace mxfeed::virus
