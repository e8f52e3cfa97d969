// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/formats/cms.h"

#include <algorithm>
#include <optional>
#include <string>

#include "common/base/text.h"
#include "milters/virus/scan/formats/asn1.h"
#include "milters/virus/scan/formats/base64.h"
#include "milters/virus/scan/formats/mail_like.h"

namespace mxfeed::virus {
namespace {

using asn1::Element;

constexpr unsigned kMaxDepth = 16;
// 1.2.840.113549.1.7.x and 1.2.840.113549.1.9.16.1.x, without the last number.
constexpr std::string_view kPkcs7 = "\x2a\x86\x48\x86\xf7\x0d\x01\x07";
constexpr std::string_view kSmime = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01";

enum class Kind { other, data, wrapped, compressed, encrypted };

Kind kind_of(std::string_view object) {
  if (object.size() == kPkcs7.size() + 1 && object.starts_with(kPkcs7)) {
    switch (object.back()) {
      case 1:
        return Kind::data;
      case 2:  // signed
      case 5:  // digested
        return Kind::wrapped;
      case 3:  // enveloped
      case 4:  // signed and enveloped
      case 6:  // encrypted
        return Kind::encrypted;
      default:
        return Kind::other;
    }
  }
  if (object.size() == kSmime.size() + 1 && object.starts_with(kSmime)) {
    switch (object.back()) {
      case 2:  // authenticated: not encrypted
        return Kind::wrapped;
      case 9:  // RFC 3274
        return Kind::compressed;
      case 23:  // RFC 5083: authenticated and enveloped
        return Kind::encrypted;
      default:
        return Kind::other;
    }
  }
  return Kind::other;
}

// A sequence that begins with a type of ours.
std::optional<Element> info_at_begin(std::string_view content) {
  if (content.empty() || static_cast<std::uint8_t>(content[0]) != asn1::kSequence) {
    return std::nullopt;
  }
  std::string_view rest = content;
  const auto sequence = asn1::take(rest);
  std::string_view fields = sequence ? sequence->content : std::string_view();
  const auto type = asn1::take(fields);
  if (!type || type->tag != asn1::kObject || kind_of(type->content) == Kind::other) {
    return std::nullopt;
  }
  return sequence;
}

class Reader {
 public:
  explicit Reader(Findings& findings) : findings_(findings) {}

  // ContentInfo: a type, and [0] with a content of that type.
  void content_info(const Element& sequence, unsigned depth) {
    std::string_view rest = sequence.content;
    const auto type = asn1::take(rest);
    if (!type || type->tag != asn1::kObject) return malformed();
    const Kind kind = kind_of(type->content);
    if (kind == Kind::encrypted) return findings_.note_encrypted("Encrypted.CMS");
    const auto tagged = asn1::take(rest);
    if (!tagged) return;  // the content is elsewhere: a signature alone
    if (tagged->tag != asn1::context(0)) return malformed();
    std::string_view inner = tagged->content;
    const auto element = asn1::take(inner);
    if (element) {
      content(kind, *element, depth);
    } else if (!tagged->content.empty()) {
      malformed();
    }
  }

 private:
  void malformed() { findings_.note_unscannable("CMS"); }

  void content(Kind kind, const Element& element, unsigned depth) {
    if (depth > kMaxDepth) return malformed();
    const bool is_octets = (element.tag & ~asn1::kConstructed) == asn1::kOctets;
    if (is_octets) {
      auto bytes = asn1::octets(element);
      if (!bytes) return malformed();
      if (kind == Kind::data || kind == Kind::other) return found(std::move(*bytes));
      // RFC 5652, 5.2: a content of another type is wrapped once more.  Programs also put
      // a whole ContentInfo there.
      if (const auto info = info_at_begin(*bytes)) return content_info(*info, depth + 1);
      std::string_view rest = *bytes;
      const auto inner = asn1::take(rest);
      if (!inner || inner->tag != asn1::kSequence) return malformed();
      return content(kind, *inner, depth + 1);
    }
    if (kind == Kind::data || kind == Kind::other) {
      return found(std::string(element.content));
    }
    if (element.tag != asn1::kSequence) return malformed();
    // version, algorithms and what there is; then the type and the content.
    std::string_view rest = element.content;
    bool has_algorithm = false;
    while (const auto field = asn1::take(rest)) {
      if (field->tag != asn1::kSequence) continue;
      std::string_view fields = field->content;
      const auto type = asn1::take(fields);
      if (!type || type->tag != asn1::kObject) continue;
      const bool is_algorithm = kind_of(type->content) == Kind::other &&
                                !fields.starts_with(static_cast<char>(asn1::context(0)));
      if (is_algorithm) {
        has_algorithm = true;  // or a content of an unknown type that is elsewhere
        continue;
      }
      if (kind == Kind::compressed) return compressed(*field, depth);
      return content_info(*field, depth + 1);
    }
    if (!has_algorithm || kind == Kind::compressed) malformed();
  }

  void compressed(const Element& info, unsigned depth) {
    std::string_view rest = info.content;
    const auto type = asn1::take(rest);
    const auto tagged = asn1::take(rest);
    if (!type || !tagged || tagged->tag != asn1::context(0)) return malformed();
    std::string_view inner = tagged->content;
    const auto element = asn1::take(inner);
    const auto packed = element ? asn1::octets(*element) : std::nullopt;
    if (!packed) return malformed();
    const Decompressed result = findings_.unpack(Codec::zlib, *packed);
    if (result.end == Decompressed::End::malformed) malformed();
    const Kind kind = kind_of(type->content);
    if (kind == Kind::data || kind == Kind::other) return found(result.bytes);
    if (kind == Kind::encrypted) return findings_.note_encrypted("Encrypted.CMS");
    std::string_view unpacked = result.bytes;
    const auto nested = asn1::take(unpacked);
    if (!nested) return malformed();
    content(kind, *nested, depth + 1);
  }

  void found(std::string bytes) {
    if (is_mail_like(bytes)) findings_.add_message(bytes);
    findings_.add_member(std::move(bytes));
  }

  Findings& findings_;
};

// Whether base64 of a sequence is here, or an armour of it (RFC 7468).
std::string_view armoured(std::string_view content) {
  content = trim(content);
  for (const std::string_view name : {"PKCS7", "CMS", "PKCS #7 SIGNED DATA"}) {
    const std::string begin = "-----BEGIN " + std::string(name) + "-----";
    const std::size_t at = content.find(begin);
    if (at == std::string_view::npos) continue;
    const std::string_view text = content.substr(at + begin.size());
    return text.substr(0, text.find("-----END"));
  }
  return content.starts_with('M') ? content : std::string_view();  // 0x30
}

}  // namespace

void examine_cms(std::string_view content, Findings& findings) {
  if (const auto info = info_at_begin(content)) {
    Reader(findings).content_info(*info, 0);
    return;
  }
  const std::string_view text = armoured(content);
  if (text.empty()) return;
  // The head shows whether the rest is worth the work.
  constexpr std::size_t kHead = 128;
  if (!info_at_begin(decode_base64(text.substr(0, kHead)))) return;
  const std::string decoded = decode_base64(text);
  if (const auto info = info_at_begin(decoded)) Reader(findings).content_info(*info, 0);
}

}  // namespace mxfeed::virus
