// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/description.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/mail/header.h"
#include "common/mail/mime/boundary.h"
#include "common/mail/mime/fields.h"

namespace mxfeed::mime {
namespace {

constexpr std::size_t kLongBoundary = 70;  // RFC 2046, 5.1.1
constexpr std::size_t kMaxSameField = 16;  // kept of one name

// How a part of this type is read.
enum class Shape { malformed, file, text, message, digest, multipart };

Shape shape_of(std::string_view type) {
  const std::size_t slash = type.find('/');
  if (type.starts_with("multipart")) {
    return type == "multipart/digest" ? Shape::digest : Shape::multipart;
  }
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == type.size()) {
    return Shape::malformed;
  }
  if (type.starts_with("message/")) return Shape::message;
  return type.starts_with("text/") ? Shape::text : Shape::file;
}

// Of several types, a multipart comes first, since it loses no parts, then a message.
int rank(Shape shape) {
  switch (shape) {
    case Shape::malformed:
      return -1;
    case Shape::file:
    case Shape::text:
      return 0;
    case Shape::message:
      return 1;
    case Shape::digest:
    case Shape::multipart:
      return 2;
  }
  return -1;
}

// A type in quotes, or with a NUL in it, is understood by some programs.
std::string cleaned_type(std::string value) {
  std::erase_if(value, [](char c) { return c == '\0' || c == '"' || c == '\''; });
  while (value.ends_with(',')) value.pop_back();
  return value;
}

// The field that the reading follows, of `count`.
std::size_t chosen_field(const Notes& notes, Ambiguity ambiguity, std::size_t by_default,
                         std::size_t count) {
  const unsigned choice = notes.reading.choice(ambiguity);
  return choice == 0 ? by_default : std::min<std::size_t>(choice, count) - 1;
}

// The type, and the parameters that go with it.
void describe_type(const Block& block, Part& part, Boundaries& boundaries, Notes& notes) {
  std::vector<ParameterisedValue> fields;
  std::size_t best = block.types.size();
  int best_rank = -1;
  for (const std::string& text : block.types) {
    ParameterisedValue& field = fields.emplace_back(parse_parameters(text));
    if (field.duplicate) notes.add(Anomaly::duplicate_parameter);
    field.value = cleaned_type(std::move(field.value));
    if (field.value.starts_with("message/partial")) notes.add(Anomaly::partial_message);
    if (field.value == "message/external-body") notes.add(Anomaly::external_body);
    const Shape shape = shape_of(field.value);
    if (shape == Shape::malformed) notes.add(Anomaly::malformed_type);
    if (rank(shape) > best_rank) {
      best_rank = rank(shape);
      best = fields.size() - 1;
    }
    for (const std::string& boundary : field.boundaries) boundaries.add(boundary);
    for (const auto& [name, value] : field.parameters) {
      if (name == "name") part.file_names.push_back(value);
      if (name == "charset" && part.charset.empty()) part.charset = ascii_lower(value);
    }
  }
  if (best == block.types.size()) return;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (shape_of(fields[i].value) != shape_of(fields[best].value)) {
      notes.ambiguities.add(Ambiguity::type, static_cast<unsigned>(i) + 1);
    }
  }
  const std::size_t chosen = chosen_field(notes, Ambiguity::type, best, fields.size());
  if (shape_of(fields[chosen].value) == Shape::malformed) return;
  part.type = fields[chosen].value;
  part.declared = true;
  part.parameters = std::move(fields[chosen].parameters);
}

void describe_disposition(const Block& block, Part& part, Notes& notes) {
  std::vector<std::string> type_names = std::move(part.file_names);
  part.file_names.clear();
  for (const std::string& text : block.dispositions) {
    ParameterisedValue field = parse_parameters(text);
    if (part.disposition.empty()) part.disposition = std::move(field.value);
    for (auto& [name, value] : field.parameters) {
      if (name == "filename") part.file_names.push_back(std::move(value));
    }
    if (field.duplicate) notes.add(Anomaly::duplicate_parameter);
  }
  for (std::string& name : type_names) {
    if (std::find(part.file_names.begin(), part.file_names.end(), name) ==
        part.file_names.end()) {
      part.file_names.push_back(std::move(name));
    }
  }
}

// What programs make of an encoding that others do not know, or know only without its
// comments.
Encoding other_encoding(std::string_view text, std::optional<Encoding> known) {
  if (known.value_or(Encoding::none) != Encoding::none) {
    const std::string exact = ascii_lower(trim(text));
    return exact == "base64" || exact == "quoted-printable" ? *known : Encoding::none;
  }
  std::string name = ascii_lower(text);
  std::erase_if(name, [](char c) {
    return is_space(c) || c == '"' || c == '\'' || c == '\0' || c == '-';
  });
  // Some search the whole value for a name.
  const std::size_t base64 = name.find("base64"), quoted = name.find("quotedprintable");
  if (base64 == quoted) return Encoding::none;  // neither is there
  return base64 < quoted ? Encoding::base64 : Encoding::quoted_printable;
}

void describe_encoding(const Block& block, Part& part, Notes& notes) {
  if (block.encodings.empty()) return;
  std::vector<Encoding> encodings;
  for (const std::string& text : block.encodings) {
    const auto known = parse_encoding(text);
    if (!known) notes.add(Anomaly::unknown_encoding);
    Encoding encoding = known.value_or(Encoding::none);
    const Encoding other = other_encoding(text, known);
    if (other != encoding && notes.choose(Ambiguity::encoding_name) == 1)
      encoding = other;
    encodings.push_back(encoding);
  }
  const auto encodes = [](Encoding encoding) { return encoding != Encoding::none; };
  auto first = std::find_if(encodings.begin(), encodings.end(), encodes);
  if (first == encodings.end()) first = encodings.begin();
  for (std::size_t i = 0; i < encodings.size(); ++i) {
    if (encodings[i] != *first) {
      notes.ambiguities.add(Ambiguity::encoding, static_cast<unsigned>(i) + 1);
    }
  }
  const auto by_default = static_cast<std::size_t>(first - encodings.begin());
  part.encoding =
      encodings[chosen_field(notes, Ambiguity::encoding, by_default, encodings.size())];
}

void divide(const Block& block, Boundaries& possible, Description& result, Notes& notes) {
  std::vector<std::string>& boundaries = result.boundaries;
  boundaries = possible.take();
  if (boundaries.empty()) notes.add(Anomaly::missing_boundary);
  if (boundaries.size() > 1) notes.add(Anomaly::odd_boundary);
  for (const std::string& boundary : boundaries) {
    if (boundary.empty() || boundary.size() > kLongBoundary) {
      notes.add(Anomaly::odd_boundary);
    }
  }
  Boundaries all;
  for (const std::string& boundary : boundaries) all.add(boundary);
  for (const std::string& text : block.types) all.add_variants(text);
  boundaries = all.take();
  if (possible.too_many() || all.too_many()) notes.ambiguities.add_too_many();
  const unsigned choice = notes.reading.choice(Ambiguity::boundary);
  if (choice == 0 || boundaries.empty()) return;
  if (choice == Ambiguities::kGuessed) return boundaries.clear();
  result.first_boundary =
      static_cast<unsigned>(std::min<std::size_t>(choice, boundaries.size()));
  boundaries = {std::move(boundaries[result.first_boundary - 1])};
}

// An encoded container: RFC 2045, 6.4 forbids it, so programs differ.
void choose_container(Description& result, Notes& notes) {
  Part& part = result.part;
  if (!part.is_container() || part.encoding == Encoding::none) return;
  notes.add(Anomaly::encoded_container);
  if (part.kind == Part::Kind::multipart) {
    const unsigned choice = notes.choose(Ambiguity::container, 2);
    result.decodes = choice == 1;
    if (choice == 2) {
      part.kind = Part::Kind::leaf;
      result.is_file = true;
    }
    return;
  }
  switch (notes.choose(Ambiguity::container, 2)) {
    case 0:
      result.decodes = true;
      break;
    case 1:
      part.encoding = Encoding::none;
      break;
    default:
      part.kind = Part::Kind::leaf;
      result.is_file = true;
      break;
  }
}

}  // namespace

void Block::add(std::string_view name, std::string_view value, Notes& notes) {
  any = true;
  std::vector<std::string>* values = nullptr;
  if (iequals(name, "content-type")) values = &types;
  if (iequals(name, "content-transfer-encoding")) values = &encodings;
  if (iequals(name, "content-disposition")) values = &dispositions;
  if (values == nullptr) return;
  if (value.find('\0') != std::string_view::npos) notes.add(Anomaly::nul);
  std::string text = unfold(value);
  if (!values->empty() && values->front() != text) notes.add(Anomaly::duplicate_field);
  if (values->size() == kMaxSameField) {
    notes.ambiguities.add_too_many();
    values->pop_back();
  }
  values->push_back(std::move(text));
}

std::optional<Encoding> parse_encoding(std::string_view value) {
  const std::string name = parse_parameters(value).value;
  if (name == "base64") return Encoding::base64;
  if (name == "quoted-printable") return Encoding::quoted_printable;
  for (const std::string_view none :
       {"", "7bit", "8bit", "binary", "x-uuencode", "uuencode", "x-uue", "uue",
        "x-yencode", "7-bit", "8-bit"}) {
    if (name == none) return Encoding::none;
  }
  return std::nullopt;
}

Description describe(const Block& block, std::string_view default_type, Notes& notes) {
  Description result;
  Part& part = result.part;
  part.type = default_type;
  Boundaries possible;
  describe_type(block, part, possible, notes);
  describe_disposition(block, part, notes);
  describe_encoding(block, part, notes);
  if (part.type.starts_with("multipart")) {
    part.kind = Part::Kind::multipart;
    divide(block, possible, result, notes);
  } else if (part.type == "message/rfc822" || part.type == "message/global" ||
             part.type == "message/news") {
    part.kind = Part::Kind::message;
  }
  choose_container(result, notes);
  return result;
}

}  // namespace mxfeed::mime
