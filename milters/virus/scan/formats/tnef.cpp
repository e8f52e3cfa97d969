// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/tnef.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "milters/virus/scan/formats/bytes.h"

namespace mxfeed::virus {
namespace {

constexpr std::string_view kMark = "\x78\x9f\x3e\x22";
// 2.1.3.3 and 2.1.3.4
constexpr std::uint32_t kBody = 0x0002800c, kAttachData = 0x0006800f,
                        kMessageProperties = 0x00069003,
                        kAttachmentProperties = 0x00069005, kAttachTitle = 0x00018010;
constexpr std::size_t kMaxAttributes = 100'000;
constexpr std::size_t kMaxValues = 100'000;

// Types of properties ([MS-OXCDATA] 2.11.1).
constexpr std::uint16_t kObject = 0x000d, kString8 = 0x001e, kUnicode = 0x001f,
                        kBinary = 0x0102, kMany = 0x1000;

// The size of a value of a type of fixed size, in TNEF; 0 for others.
std::size_t fixed_size(std::uint16_t type) {
  switch (type) {
    case 0x0002:  // 16 bits, and padding
    case 0x0003:
    case 0x0004:
    case 0x000a:
    case 0x000b:
      return 4;
    case 0x0005:
    case 0x0006:
    case 0x0007:
    case 0x0014:
    case 0x0040:
      return 8;
    case 0x0048:
      return 16;
    default:
      return 0;
  }
}

bool is_content(std::uint16_t id) {
  return id == 0x3701      // the attachment
         || id == 0x1013   // HTML
         || id == 0x1000;  // plain text
}

// [MS-OXPROPS]: names of an attachment, short, long and shown, and its path.
bool is_file_name(std::uint16_t id) {
  return id == 0x3704 || id == 0x3707 || id == 0x3001 || id == 0x3708 || id == 0x370d;
}

// Strings end with NUL; of UTF-16, what is not ASCII does not matter here.
std::string name_of(std::string_view value, std::uint16_t type) {
  std::string name;
  const std::size_t step = type == kUnicode ? 2 : 1;
  for (std::size_t i = 0; i + step <= value.size(); i += step) {
    const bool is_ascii = step == 1 || value[i + 1] == 0;
    name += is_ascii ? value[i] : '_';
  }
  while (name.ends_with('\0')) name.pop_back();
  return name;
}

std::size_t padded(std::uint64_t size) {
  return (size + 3) / 4 * 4;
}

void skip_name(ByteReader& reader) {
  reader.skip(16);
  if (reader.le32() == 0) {
    reader.skip(4);
  } else {
    reader.skip(padded(reader.le32()));
  }
}

// 2.1.3.4.1: MsgPropertyList.  False if it is malformed.
bool read_properties(std::string_view list, Findings& findings) {
  ByteReader reader(list);
  std::size_t values = 0;
  const std::uint32_t count = reader.le32();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint16_t type = reader.le16();
    const std::uint16_t id = reader.le16();
    if (id >= 0x8000) skip_name(reader);
    const auto base = static_cast<std::uint16_t>(type & ~kMany);
    const std::size_t fixed = fixed_size(base);
    const bool is_variable =
        base == kObject || base == kString8 || base == kUnicode || base == kBinary;
    if (fixed == 0 && !is_variable) return false;
    const std::uint32_t many = is_variable || base != type ? reader.le32() : 1;
    if (fixed != 0) {
      reader.skip(std::uint64_t{many} * fixed);
      continue;
    }
    for (std::uint32_t j = 0; j < many && reader.ok(); ++j) {
      if (++values > kMaxValues) return false;
      const std::uint32_t size = reader.le32();
      const std::string_view value = reader.take(padded(size)).substr(0, size);
      if (is_file_name(id) && (base == kString8 || base == kUnicode)) {
        findings.note_name(name_of(value, base));
      }
      if (!is_content(id) && base != kObject) continue;
      findings.add_member(std::string(value));
      // The identifier of an interface stands before an object.
      if (base == kObject && value.size() > 16) {
        findings.add_member(std::string(value.substr(16)));
      }
    }
  }
  return reader.ok();
}

}  // namespace

void examine_tnef(std::string_view content, Findings& findings) {
  if (!content.starts_with(kMark)) return;
  ByteReader reader(content);
  reader.skip(6);
  std::size_t count = 0;
  constexpr std::size_t kLeastAttribute = 9;  // fewer bytes at the end are nothing
  while (reader.rest().size() >= kLeastAttribute) {
    reader.skip(1);  // of the message or of an attachment
    const std::uint32_t id = reader.le32();
    const std::uint32_t size = reader.le32();
    // Ends early where the file was cut off.
    const std::string_view value =
        reader.take(std::min<std::uint64_t>(size, reader.rest().size()));
    if (++count > kMaxAttributes) return findings.note_unscannable("TNEF");
    if (id == kAttachData || id == kBody) {
      findings.add_member(std::string(value));
    } else if (id == kAttachTitle) {
      findings.note_name(name_of(value, kString8));
    } else if (id == kMessageProperties || id == kAttachmentProperties) {
      if (!read_properties(value, findings)) findings.note_unscannable("TNEF");
    }
    if (value.size() < size || reader.rest().size() < 2) return;
    reader.skip(2);  // a sum
  }
}

}  // namespace mxfeed::virus
