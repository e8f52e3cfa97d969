// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/entry.h"

#include <algorithm>

#include "common/base/digest.h"
#include "common/base/text.h"
#include "common/policy/tagged_value.h"

namespace mxfeed {

template <>
struct LastValue<spam::Teacher> {
  static constexpr spam::Teacher value = spam::Teacher::user;
};
template <>
struct LastValue<spam::Standing> {
  static constexpr spam::Standing value = spam::Standing::forgotten;
};

namespace spam {
namespace {

constexpr char kKind = 'S';
constexpr std::size_t kMostEvidence = 200;

// The distances between features, of which most take one or two bytes.
std::string packed(const Features& features) {
  std::string bytes;
  std::uint32_t last = 0;
  for (const std::uint32_t feature : features) {
    put_varint(bytes, feature - last);
    last = feature;
  }
  return bytes;
}

std::optional<Features> unpacked(std::string_view bytes) {
  Features features;
  std::uint64_t last = 0;
  while (!bytes.empty()) {
    const auto distance = take_varint(bytes);
    if (!distance || *distance >= kBuckets || (*distance == 0 && !features.empty())) {
      return std::nullopt;
    }
    last += *distance;
    if (last >= kBuckets || features.size() == kMostFeatures) return std::nullopt;
    features.push_back(static_cast<std::uint32_t>(last));
  }
  return features;
}

// One table of the fields for both directions.
template <typename Each, typename AnEntry>
void each_field(Each& each, AnEntry& entry, std::string& id, std::string& features) {
  each(1, id);
  each(2, entry.standing);
  each(3, entry.teacher);
  each(4, entry.domain);
  each(5, entry.changed);
  each(6, entry.learned);
  each(7, entry.was_judged);
  each(8, entry.arrival);
  each(9, entry.evidence);
  each(10, entry.version);
  each(11, features);
}

}  // namespace

SampleId id_of(const Message& message) {
  SampleId id{};
  Digester digester(id.size());
  const std::string* const name = message.find("Message-ID");
  digester.add(name == nullptr ? "" : trim(*name));
  for (const std::string* const text : {&message.plain, &message.html_source}) {
    digester.add(std::string_view("\0", 1));
    // Line ends and blank lines at the end differ between mailboxes.
    for (const std::string_view line : split(trim(*text), '\n')) {
      digester.add(trim(line));
      digester.add("\n");
    }
  }
  const std::string bytes = std::move(digester).finish();
  std::copy(bytes.begin(), bytes.end(), id.begin());
  return id;
}

std::string_view to_string(Teacher teacher) {
  switch (teacher) {
    case Teacher::administrator:
      return "administrator";
    case Teacher::trap:
      return "trap";
    case Teacher::user:
      return "user";
  }
  return "?";
}

Rate rate_of(Teacher teacher) {
  return teacher == Teacher::user ? Rate{0.2, 3.2} : Rate{};
}

std::string Entry::bytes() const {
  std::string name(id.begin(), id.end());
  std::string list = packed(features);
  TaggedWriter writer(kKind, unknown);
  each_field(writer, *this, name, list);
  return std::move(writer).finish();
}

std::optional<Entry> Entry::from_bytes(std::string_view bytes) {
  Entry entry;
  std::string name;
  std::string list;
  TaggedReader reader(kKind, bytes);
  each_field(reader, entry, name, list);
  if (!reader.finish(entry.unknown) || name.size() != entry.id.size() ||
      entry.evidence.size() > kMostEvidence) {
    return std::nullopt;
  }
  std::copy(name.begin(), name.end(), entry.id.begin());
  auto features = unpacked(list);
  if (!features) return std::nullopt;
  entry.features = *std::move(features);
  return entry;
}

bool is_newer(const Entry& a, const Entry& b) {
  if (a.changed != b.changed) return a.changed > b.changed;
  return a.bytes() > b.bytes();
}

}  // namespace spam
}  // namespace mxfeed
