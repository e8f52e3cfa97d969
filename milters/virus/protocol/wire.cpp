// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/protocol/wire.h"

#include <type_traits>

namespace mxfeed::virus {
namespace {

// Each datagram begins with its mark, which carries the version.
constexpr std::string_view kRequestMark = "MXSQ0001";
constexpr std::string_view kResultMark = "MXSR0001";

template <typename Number>
void put(std::string& to, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    to += static_cast<char>(value >> (8 * i) & 0xff);
  }
}

// Takes a number from the front; false if there are too few bytes.
template <typename Number>
bool take(std::string_view& from, Number& value) {
  static_assert(std::is_unsigned_v<Number>);
  if (from.size() < sizeof value) return false;
  value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    value = static_cast<Number>(
        value | static_cast<Number>(static_cast<unsigned char>(from[i])) << (8 * i));
  }
  from.remove_prefix(sizeof value);
  return true;
}

bool take_mark(std::string_view& from, std::string_view mark) {
  if (from.size() > kMaxDatagram || !from.starts_with(mark)) return false;
  from.remove_prefix(mark.size());
  return true;
}

}  // namespace

std::string encode(const ScanRequest& request) {
  std::string datagram(kRequestMark);
  put(datagram, request.size);
  return datagram;
}

std::string encode(const ScanResult& result) {
  std::string datagram(kResultMark);
  put(datagram, static_cast<std::uint8_t>(result.verdict));
  put(datagram, result.parts_fed);
  put(datagram, result.signatures);
  datagram += std::string_view(result.name).substr(0, kMaxName);
  return datagram;
}

std::optional<ScanRequest> decode_request(std::string_view datagram) {
  ScanRequest request;
  if (!take_mark(datagram, kRequestMark) || !take(datagram, request.size) ||
      !datagram.empty() || request.size > kMaxMessage) {
    return std::nullopt;
  }
  return request;
}

std::optional<ScanResult> decode_result(std::string_view datagram) {
  ScanResult result;
  std::uint8_t verdict = 0;
  if (!take_mark(datagram, kResultMark) || !take(datagram, verdict) ||
      !take(datagram, result.parts_fed) || !take(datagram, result.signatures) ||
      verdict > static_cast<std::uint8_t>(ScanVerdict::error) ||
      datagram.size() > kMaxName) {
    return std::nullopt;
  }
  result.verdict = static_cast<ScanVerdict>(verdict);
  result.name = datagram;
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
