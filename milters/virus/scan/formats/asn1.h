// SPDX-License-Identifier: GPL-2.0-or-later
//
// Elements of BER (X.690), of any length form.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mxfeed::virus::asn1 {

constexpr std::uint8_t kInteger = 0x02, kOctets = 0x04, kObject = 0x06, kSequence = 0x30,
                       kSet = 0x31;
constexpr std::uint8_t kConstructed = 0x20;
// [0], [1] ...
constexpr std::uint8_t context(unsigned number) {
  return static_cast<std::uint8_t>(0xa0 | number);
}

struct Element {
  std::uint8_t tag = 0;
  std::string_view content;  // without the end mark of an indefinite length
};

// Takes the first element off; nothing if there is none that is well-formed.  An element
// that states to be longer than what is there ends with it, as programs read a message
// that was cut off.
std::optional<Element> take(std::string_view& bytes);

// The bytes of an OCTET STRING, primitive or made of pieces.  `tag` may be another one,
// for implicit tags.
std::optional<std::string> octets(const Element& element);

}  // namespace mxfeed::virus::asn1
