// SPDX-License-Identifier: GPL-2.0-or-later
//
// A value is one letter that says what it is, then fields in rising order of tag, then
// tag 0.  A field is tag, length, bytes; tag and length are base-128 numbers, lowest
// digits first.  Numbers are little-endian without leading zeros, a double is its eight
// bytes.  A tag is never given another meaning; a new value of an enum needs a new tag,
// since an older program takes a value that it does not know for damage.
#include "common/policy/domain_policy.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

namespace mxfeed {
namespace {

constexpr char kDomainValue = 'D';
constexpr char kGatewayValue = 'G';

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  out += static_cast<char>(value);
}

std::optional<std::uint64_t> take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63 && !in.empty(); shift += 7) {
    const auto octet = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= std::uint64_t{octet & 0x7Fu} << shift;
    if (octet < 0x80) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> take_bytes(std::string_view& in) {
  const auto length = take_varint(in);
  if (!length || *length > in.size()) return std::nullopt;
  const auto bytes = in.substr(0, *length);
  in.remove_prefix(*length);
  return bytes;
}

std::string number_bytes(std::uint64_t value) {
  std::string bytes;
  for (; value != 0; value >>= 8) bytes += static_cast<char>(value & 0xFF);
  return bytes;
}

std::optional<std::uint64_t> number(std::string_view bytes, std::uint64_t most) {
  if (bytes.size() > 8) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  if (value > most) return std::nullopt;
  return value;
}

template <typename T>
constexpr T last_value();
template <>
constexpr GreylistWhen last_value() {
  return GreylistWhen::never;
}
template <>
constexpr VirusAction last_value() {
  return VirusAction::quarantine;
}
template <>
constexpr EncryptedAction last_value() {
  return EncryptedAction::reject;
}
template <>
constexpr SpamAction last_value() {
  return SpamAction::quarantine;
}

// Called with each field in turn; appends it.
class Writer {
 public:
  explicit Writer(char kind) : out_(1, kind) {}

  template <typename T>
  void operator()(unsigned tag, const T& field) {
    put_varint(out_, tag);
    const std::string value = bytes(field);
    put_varint(out_, value.size());
    out_ += value;
  }
  std::string finish() && {
    out_ += '\0';
    return std::move(out_);
  }

 private:
  static std::string bytes(const std::string& field) { return field; }
  static std::string bytes(const std::vector<Network>& field) {
    std::string all;
    for (const Network& network : field) {
      const std::string text = network.str();
      put_varint(all, text.size());
      all += text;
    }
    return all;
  }
  static std::string bytes(std::chrono::seconds field) {
    return number_bytes(static_cast<std::uint64_t>(field.count()));
  }
  static std::string bytes(double field) {
    auto bits = std::bit_cast<std::uint64_t>(field);
    std::string all;
    for (int i = 0; i < 8; ++i, bits >>= 8) all += static_cast<char>(bits & 0xFF);
    return all;
  }
  template <typename T>
  requires std::is_enum_v<T> || std::is_integral_v<T>
  static std::string bytes(T field) {
    return number_bytes(static_cast<std::uint64_t>(field));
  }

  std::string out_;
};

// Called with each field in turn; fills it if the value has it.
class Reader {
 public:
  Reader(char kind, std::string_view in) : in_(in) {
    if (in_.empty() || in_.front() != kind) {
      damaged_ = true;
      return;
    }
    in_.remove_prefix(1);
    next();
  }

  template <typename T>
  void operator()(unsigned tag, T& field) {
    while (!damaged_ && tag_ != 0 && tag_ < tag) next();
    if (damaged_ || tag_ != tag) return;
    if (!set(field)) damaged_ = true;
  }
  // Whether all of it was a value.
  bool finish() {
    while (!damaged_ && tag_ != 0) next();
    return !damaged_ && in_.empty();
  }

 private:
  void next() {
    const auto tag = take_varint(in_);
    if (!tag || (*tag != 0 && *tag <= tag_)) {
      damaged_ = true;
      return;
    }
    tag_ = *tag;
    if (tag_ == 0) return;
    const auto bytes = take_bytes(in_);
    if (bytes) {
      bytes_ = *bytes;
    } else {
      damaged_ = true;
    }
  }

  bool set(std::string& field) {
    field = bytes_;
    return true;
  }
  bool set(std::vector<Network>& field) {
    field.clear();
    for (std::string_view rest = bytes_; !rest.empty();) {
      const auto text = take_bytes(rest);
      const auto network = text ? Network::parse(*text) : std::nullopt;
      if (!network || network->str() != *text) return false;
      field.push_back(*network);
    }
    return true;
  }
  bool set(std::chrono::seconds& field) {
    const auto value =
        number(bytes_, std::uint64_t{std::numeric_limits<std::int64_t>::max()});
    if (value) field = std::chrono::seconds(*value);
    return value.has_value();
  }
  bool set(double& field) {
    const auto bits = number(bytes_, std::numeric_limits<std::uint64_t>::max());
    if (!bits || bytes_.size() != 8) return false;
    field = std::bit_cast<double>(*bits);
    return std::isfinite(field);
  }
  template <typename T>
  requires std::is_enum_v<T>
  bool set(T& field) {
    const auto value = number(bytes_, static_cast<std::uint64_t>(last_value<T>()));
    if (value) field = static_cast<T>(*value);
    return value.has_value();
  }
  template <typename T>
  requires std::is_integral_v<T>
  bool set(T& field) {
    const auto value = number(bytes_, std::numeric_limits<T>::max());
    if (value) field = static_cast<T>(*value);
    return value.has_value();
  }

  std::string_view in_;
  std::string_view bytes_;
  std::uint64_t tag_ = 0;
  bool damaged_ = false;
};

// The fields of both directions, once; tags rise.
template <typename Visitor, typename Policy>
void visit_domain(Visitor& field, Policy& policy) {
  field(1, policy.name);
  field(2, policy.subdomains);
  field(3, policy.content_class);

  field(10, policy.greylist.when);
  field(11, policy.greylist.shadow);
  field(12, policy.greylist.delay);
  field(13, policy.greylist.retry_window);
  field(14, policy.greylist.keep);

  field(30, policy.virus.infected);
  field(31, policy.virus.unscannable);
  field(32, policy.virus.encrypted);

  field(50, policy.spam.enabled);
  field(51, policy.spam.immature_acts);
  field(52, policy.spam.begins[0]);
  field(53, policy.spam.begins[1]);
  field(54, policy.spam.begins[2]);
  for (unsigned level = 0; level < 4; ++level) {
    field(60 + 2 * level, policy.spam.rules[level].action);
    field(61 + 2 * level, policy.spam.rules[level].text);
  }
}

template <typename Visitor, typename Policy>
void visit_gateway(Visitor& field, Policy& policy) {
  field(1, policy.generation);
  field(2, policy.trusted_networks);

  field(10, policy.greylist.store);
  field(11, policy.greylist.ipv4_prefix);
  field(12, policy.greylist.ipv6_prefix);
  field(13, policy.greylist.code);
  field(14, policy.greylist.text);

  field(30, policy.virus.database);
  field(31, policy.virus.workers);
  field(32, policy.virus.max_scan_size);
  field(33, policy.virus.max_file_size);
  field(34, policy.virus.max_files);
  field(35, policy.virus.max_recursion);
  field(36, policy.virus.max_scan_time);
}

}  // namespace

bool GatewayPolicy::trusts(const IpAddress& client) const {
  return std::ranges::any_of(
      trusted_networks, [&](const Network& network) { return network.contains(client); });
}

std::string_view word(GreylistWhen value) {
  switch (value) {
    case GreylistWhen::always:
      return "always";
    case GreylistWhen::suspicious:
      return "suspicious";
    case GreylistWhen::never:
      return "never";
  }
  return "";
}

std::string_view word(VirusAction value) {
  switch (value) {
    case VirusAction::discard:
      return "delete";
    case VirusAction::reject:
      return "reject";
    case VirusAction::quarantine:
      return "quarantine";
  }
  return "";
}

std::string_view word(EncryptedAction value) {
  switch (value) {
    case EncryptedAction::header:
      return "header";
    case EncryptedAction::reject:
      return "reject";
  }
  return "";
}

std::string_view word(SpamAction value) {
  switch (value) {
    case SpamAction::none:
      return "none";
    case SpamAction::header:
      return "header";
    case SpamAction::subject:
      return "subject";
    case SpamAction::discard:
      return "delete";
    case SpamAction::reject:
      return "reject";
    case SpamAction::quarantine:
      return "quarantine";
  }
  return "";
}

std::string encode(const DomainPolicy& policy) {
  Writer writer(kDomainValue);
  visit_domain(writer, policy);
  return std::move(writer).finish();
}

std::string encode(const GatewayPolicy& policy) {
  Writer writer(kGatewayValue);
  visit_gateway(writer, policy);
  return std::move(writer).finish();
}

std::optional<DomainPolicy> decode_domain_policy(std::string_view bytes) {
  DomainPolicy policy;
  Reader reader(kDomainValue, bytes);
  visit_domain(reader, policy);
  if (!reader.finish()) return std::nullopt;
  return policy;
}

std::optional<GatewayPolicy> decode_gateway_policy(std::string_view bytes) {
  GatewayPolicy policy;
  Reader reader(kGatewayValue, bytes);
  visit_gateway(reader, policy);
  if (!reader.finish()) return std::nullopt;
  return policy;
}

}  // namespace mxfeed
