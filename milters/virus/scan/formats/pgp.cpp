// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/pgp.h"

#include <optional>
#include <string>

#include "milters/virus/scan/formats/base64.h"
#include "milters/virus/scan/formats/bytes.h"
#include "milters/virus/scan/formats/mail_like.h"

namespace mxfeed::virus {
namespace {

constexpr std::size_t kMaxArmours = 32;
constexpr unsigned kMaxDepth = 16;
constexpr std::size_t kMaxPackets = 1000;

// Packet types (RFC 9580, 5).
enum Tag : unsigned {
  kPublicKeyEncryptedKey = 1,
  kSignature = 2,
  kSymmetricKeyEncryptedKey = 3,
  kOnePassSignature = 4,
  kCompressed = 8,
  kEncrypted = 9,
  kMarker = 10,
  kLiteral = 11,
  kProtected = 18,
  kAead = 20,
};

struct Packet {
  unsigned tag = 0;
  bool is_open = false;  // up to the end of the content
  std::string body;
};

// RFC 9580, 4.2.1: pieces of a body, the last of which has an ordinary length.
bool take_new_body(ByteReader& reader, std::string& body) {
  for (;;) {
    const std::uint8_t first = reader.u8();
    std::uint64_t length = first;
    if (first == 255) {
      length = reader.be32();
    } else if (first >= 224) {
      body += reader.take(std::uint64_t{1} << (first & 0x1f));
      if (!reader.ok()) return false;
      continue;
    } else if (first >= 192) {
      length = (std::uint64_t{first} - 192) * 256 + reader.u8() + 192;
    }
    body += reader.take(length);
    return reader.ok();
  }
}

std::optional<Packet> take_packet(ByteReader& reader) {
  const std::uint8_t head = reader.u8();
  if (!reader.ok() || (head & 0x80) == 0) return std::nullopt;
  Packet packet;
  if ((head & 0x40) != 0) {
    packet.tag = head & 0x3f;
    if (!take_new_body(reader, packet.body)) return std::nullopt;
    return packet;
  }
  packet.tag = head >> 2 & 0x0f;
  switch (head & 3) {
    case 0:
      packet.body = reader.take(reader.u8());
      break;
    case 1:
      packet.body = reader.take(reader.be16());
      break;
    case 2:
      packet.body = reader.take(reader.be32());
      break;
    default:
      packet.is_open = true;
      packet.body = reader.take(reader.rest().size());
      break;
  }
  if (!reader.ok()) return std::nullopt;
  return packet;
}

// Whether the packet is what its type says, as far as this is seen at its beginning.
// Anything may begin with a byte that could be a packet's.
bool is_plausible(const Packet& packet) {
  const std::string& body = packet.body;
  const unsigned first = body.empty() ? 0 : static_cast<std::uint8_t>(body[0]);
  switch (packet.tag) {
    case kPublicKeyEncryptedKey:
      return (first == 3 || first == 6) && body.size() < 4096 && !packet.is_open;
    case kSymmetricKeyEncryptedKey:
      return first >= 4 && first <= 6 && body.size() < 512 && !packet.is_open;
    case kOnePassSignature:
      return first == 3 || first == 6;
    case kSignature:
      return first >= 3 && first <= 6;
    case kCompressed:
      return first <= 3 && body.size() > 1;
    case kEncrypted:
      return !packet.is_open && body.size() > 16;
    case kMarker:
      return body == "PGP";
    case kLiteral:
      return body.size() > 6 &&
             std::string_view("btuml1").find(body[0]) != std::string_view::npos;
    case kProtected:
    case kAead:
      return first == 1 || first == 2;
    default:
      return false;
  }
}

class Reader {
 public:
  explicit Reader(Findings& findings) : findings_(findings) {}

  void message(std::string_view bytes, unsigned depth = 0) {
    ByteReader reader(bytes);
    bool has_key = false;
    for (std::size_t count = 0; count < kMaxPackets && !reader.empty(); ++count) {
      const auto packet = take_packet(reader);
      if (!packet) {
        // The data of a message that was cut off.
        if (has_key) findings_.note_encrypted("Encrypted.PGP");
        return;
      }
      if (!is_plausible(*packet)) return;
      switch (packet->tag) {
        case kPublicKeyEncryptedKey:
        case kSymmetricKeyEncryptedKey:
          has_key = true;
          break;
        case kEncrypted:
        case kProtected:
        case kAead:
          // Alone, it has to be all there is.
          if (has_key || reader.empty()) findings_.note_encrypted("Encrypted.PGP");
          return;
        case kCompressed:
          return compressed(packet->body, depth);
        case kLiteral:
          return literal(packet->body);
        default:
          break;
      }
    }
  }

 private:
  void compressed(std::string_view body, unsigned depth) {
    if (depth >= kMaxDepth) return findings_.note_unscannable("MaxRecursion");
    const std::string_view packed = body.substr(1);
    switch (body[0]) {
      case 0:
        return message(packed, depth + 1);
      case 1:
        return message(findings_.unpack(Codec::deflate, packed).bytes, depth + 1);
      case 2:
        return message(findings_.unpack(Codec::zlib, packed).bytes, depth + 1);
      default:
        return message(findings_.unpack(Codec::bzip2, packed).bytes, depth + 1);
    }
  }

  // 5.9: a format, a file name, a date, the content.
  void literal(std::string_view body) {
    ByteReader reader(body);
    reader.skip(1);
    reader.skip(reader.u8());
    reader.skip(4);
    if (!reader.ok()) return;
    if (is_mail_like(reader.rest())) findings_.add_message(std::string(reader.rest()));
    findings_.add_member(std::string(reader.rest()));
  }

  Findings& findings_;
};

}  // namespace

void examine_pgp(std::string_view content, Findings& findings) {
  if (content.empty()) return;
  if ((static_cast<std::uint8_t>(content[0]) & 0x80) != 0) {
    Reader(findings).message(content);
  }
  constexpr std::string_view kBegin = "-----BEGIN PGP MESSAGE";
  std::size_t count = 0;
  for (std::size_t at = content.find(kBegin); at != std::string_view::npos;
       at = content.find(kBegin, at + kBegin.size())) {
    if (++count > kMaxArmours) return findings.note_unscannable("PGP");
    std::string_view armour = content.substr(at + kBegin.size());
    armour = armour.substr(0, armour.find("-----END PGP"));
    // The first line, and header fields up to an empty line: they have a colon, which the
    // content has not.
    std::size_t begin = armour.find('\n');
    for (std::size_t end = begin; end != std::string_view::npos;
         end = armour.find('\n', end + 1)) {
      const std::string_view line = armour.substr(begin, end - begin);
      if (end != begin && line.find(':') == std::string_view::npos) break;
      begin = end;
    }
    if (begin == std::string_view::npos) continue;
    Reader(findings).message(decode_base64(armour.substr(begin)));
  }
}

}  // namespace mxfeed::virus
