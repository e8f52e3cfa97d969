// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/fields.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/mail/charset.h"
#include "common/mail/header.h"
#include "common/mail/words.h"

namespace mxfeed::mime {
namespace {

constexpr std::size_t kLongBoundary = 70;    // RFC 2046, 5.1.1
constexpr std::size_t kMaxBoundaries = 3;    // of one multipart: one for each reading
constexpr std::size_t kMaxSameField = 4;     // kept of one name
constexpr std::size_t kMaxParameters = 200;  // of one field

struct RawParameter {
  std::string name;       // lower case, without what follows '*'
  std::string value;      // quoting removed
  std::string literal;    // with what looked like a comment
  int section = -1;       // of a value in several sections (RFC 2231, 3)
  bool extended = false;  // charset and percent escapes (RFC 2231, 4)
};

struct RawField {
  std::string value;
  std::vector<RawParameter> parameters;
};

// Moves `at` past white space and comments.
void skip_comments(std::string_view text, std::size_t& at) {
  unsigned depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\' && depth > 0) {
      ++at;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    } else if (depth == 0 && !is_space(c)) {
      return;
    }
  }
  at = std::min(at, text.size());
}

std::string quoted_string(std::string_view text, std::size_t& at) {
  std::string value;
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    if (text[at] != '\r' && text[at] != '\n') value += text[at];
  }
  if (at < text.size()) ++at;
  return value;
}

// Splits "name*1*" (RFC 2231).
void split_name(RawParameter& parameter) {
  const std::size_t star = parameter.name.find('*');
  if (star == std::string::npos) return;
  std::string_view suffix = std::string_view(parameter.name).substr(star + 1);
  if (suffix.empty()) {
    parameter.extended = true;
  } else {
    if (suffix.back() == '*') {
      parameter.extended = true;
      suffix.remove_suffix(1);
    }
    const auto section = parse_unsigned(suffix);
    if (!section || *section > 999) {
      parameter.extended = false;
      return;
    }
    parameter.section = static_cast<int>(*section);
  }
  parameter.name.resize(star);
}

RawField parse_raw(std::string_view text) {
  RawField field;
  std::size_t at = 0;
  while (at < text.size() && text[at] != ';') {
    skip_comments(text, at);
    while (at < text.size() && text[at] != ';' && text[at] != '(' &&
           !is_space(text[at])) {
      field.value += ascii_lower(text[at++]);
    }
    // "text/plain charset=x": some programs forget the semicolon.
    std::size_t next = at;
    skip_comments(text, next);
    if (next > at && next < text.size() && text[next] != ';' && text[next] != '/' &&
        field.value.find('/') != std::string::npos && !field.value.ends_with('/')) {
      at = next;
      break;
    }
    at = next;
  }
  while (at < text.size() && field.parameters.size() < kMaxParameters) {
    while (at < text.size() && (text[at] == ';' || text[at] == ',')) ++at;
    skip_comments(text, at);
    if (at < text.size() && (text[at] == ';' || text[at] == ',')) continue;
    RawParameter parameter;
    while (at < text.size() && text[at] != '=' && text[at] != ';' && text[at] != '(' &&
           text[at] != ',' && !is_space(text[at])) {
      parameter.name += ascii_lower(text[at++]);
    }
    skip_comments(text, at);
    if (at >= text.size() || text[at] != '=') {
      if (parameter.name.empty() && at < text.size() && text[at] != ';' &&
          text[at] != ',') {
        ++at;  // skip an invalid character
      }
      continue;
    }
    ++at;
    skip_comments(text, at);
    if (at < text.size() && text[at] == '"') {
      parameter.value = quoted_string(text, at);
      parameter.literal = parameter.value;
    } else {
      const std::size_t begin = at;
      while (at < text.size() && text[at] != ';' && !is_space(text[at])) ++at;
      const std::string_view literal = text.substr(begin, at - begin);
      parameter.literal = literal;
      parameter.value = literal.substr(0, literal.find('('));
    }
    split_name(parameter);
    field.parameters.push_back(std::move(parameter));
  }
  return field;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// The value of RFC 2231 parameters of one name, sorted by section: the bytes and charset.
std::pair<std::string, std::string> joined(
    const std::vector<const RawParameter*>& parts) {
  std::string bytes;
  std::string charset;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::string_view value = parts[i]->value;
    if (!parts[i]->extended) {
      bytes += value;
      continue;
    }
    if (i == 0) {
      const std::size_t first = value.find('\'');
      const std::size_t second =
          first == std::string_view::npos ? first : value.find('\'', first + 1);
      if (second != std::string_view::npos) {
        charset = value.substr(0, first);
        value.remove_prefix(second + 1);
      }
    }
    bytes += percent_decoded(value);
  }
  return {std::move(bytes), std::move(charset)};
}

struct Parameter {
  std::string name;
  std::string bytes;    // decoded from RFC 2231, not converted
  std::string literal;  // only of a plain parameter
  std::string text;     // UTF-8
};

// RFC 2231 parameters come before plain ones of the same field (RFC 6266, 4.3).
std::vector<Parameter> resolved(const RawField& field, bool& duplicate) {
  std::vector<Parameter> result;
  std::vector<bool> used(field.parameters.size(), false);
  for (std::size_t i = 0; i < field.parameters.size(); ++i) {
    const RawParameter& first = field.parameters[i];
    if (used[i] || (first.section < 0 && !first.extended)) continue;
    std::vector<const RawParameter*> sections;
    for (std::size_t k = i; k < field.parameters.size(); ++k) {
      const RawParameter& other = field.parameters[k];
      if (used[k] || other.name != first.name || (other.section < 0 && !other.extended)) {
        continue;
      }
      used[k] = true;
      sections.push_back(&other);
    }
    std::stable_sort(sections.begin(), sections.end(),
                     [](const RawParameter* a, const RawParameter* b) {
                       return a->section < b->section;
                     });
    auto [bytes, charset] = joined(sections);
    result.push_back({first.name, bytes, "", to_utf8(bytes, charset)});
  }
  for (std::size_t i = 0; i < field.parameters.size(); ++i) {
    const RawParameter& plain = field.parameters[i];
    if (used[i]) continue;
    for (std::size_t k = 0; k < i; ++k) {
      const RawParameter& other = field.parameters[k];
      duplicate |= !used[k] && other.name == plain.name && other.value != plain.value;
    }
    result.push_back({plain.name, plain.value, plain.literal, decode_words(plain.value)});
  }
  return result;
}

void add_boundary(std::vector<std::string>& boundaries, std::string_view boundary) {
  boundary = without_trailing_blanks(boundary);
  if (boundaries.size() < kMaxBoundaries &&
      std::find(boundaries.begin(), boundaries.end(), boundary) == boundaries.end()) {
    boundaries.emplace_back(boundary);
  }
}

}  // namespace

std::string_view without_trailing_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

void Block::add(std::string_view name, std::string_view value) {
  any = true;
  std::vector<std::string>* values = nullptr;
  if (iequals(name, "content-type")) values = &types;
  if (iequals(name, "content-transfer-encoding")) values = &encodings;
  if (iequals(name, "content-disposition")) values = &dispositions;
  if (values == nullptr) return;
  if (value.find('\0') != std::string_view::npos) anomalies.add(Anomaly::nul);
  std::string text = unfold(value);
  if (!values->empty() && values->front() != text) {
    anomalies.add(Anomaly::duplicate_field);
  }
  // Keeps the first ones and the last: mail programs use one or the other.
  if (values->size() == kMaxSameField) values->pop_back();
  values->push_back(std::move(text));
}

std::optional<Encoding> parse_encoding(std::string_view value) {
  const std::string name = parse_raw(value).value;
  if (name == "base64") return Encoding::base64;
  if (name == "quoted-printable") return Encoding::quoted_printable;
  for (const std::string_view none : {"", "7bit", "8bit", "binary", "x-uuencode",
                                      "uuencode", "x-uue", "uue", "7-bit", "8-bit"}) {
    if (name == none) return Encoding::none;
  }
  return std::nullopt;
}

ParameterisedValue parse_parameters(std::string_view field_value) {
  const RawField field = parse_raw(unfold(field_value));
  ParameterisedValue result;
  result.value = field.value;
  for (Parameter& parameter : resolved(field, result.duplicate)) {
    result.parameters.emplace_back(std::move(parameter.name), std::move(parameter.text));
  }
  return result;
}

Description describe(const Block& block, std::string_view default_type) {
  Description result;
  result.anomalies = block.anomalies;
  Part& part = result.part;
  part.type = default_type;
  // Of several types, a multipart comes first, since it loses no parts, then a message.
  int best_rank = -1;
  std::vector<std::string> type_names;
  for (const std::string& text : block.types) {
    const RawField field = parse_raw(text);
    bool duplicate = false;
    const std::vector<Parameter> parameters = resolved(field, duplicate);
    if (duplicate) result.anomalies.add(Anomaly::duplicate_parameter);
    const std::size_t slash = field.value.find('/');
    int rank = 0;
    if (slash == std::string::npos || slash == 0 || slash + 1 == field.value.size()) {
      result.anomalies.add(Anomaly::malformed_type);
      rank = -1;
    }
    if (field.value.starts_with("message/")) rank = 1;
    if (field.value.starts_with("multipart")) rank = 2;
    for (const Parameter& parameter : parameters) {
      if (parameter.name == "boundary") {
        add_boundary(result.boundaries, parameter.bytes);
        add_boundary(result.boundaries,
                     parameter.literal.empty() ? parameter.bytes : parameter.literal);
      }
      if (parameter.name == "name") type_names.push_back(parameter.text);
      if (parameter.name == "charset" && part.charset.empty()) {
        part.charset = ascii_lower(parameter.text);
      }
    }
    if (rank > best_rank) {
      best_rank = rank;
      part.type = field.value;
      part.declared = true;
      part.parameters.clear();
      for (const Parameter& parameter : parameters) {
        part.parameters.emplace_back(parameter.name, parameter.text);
      }
    }
  }
  for (const std::string& text : block.dispositions) {
    ParameterisedValue field = parse_parameters(text);
    if (part.disposition.empty()) part.disposition = std::move(field.value);
    for (auto& [name, value] : field.parameters) {
      if (name == "filename") part.file_names.push_back(std::move(value));
    }
    if (field.duplicate) result.anomalies.add(Anomaly::duplicate_parameter);
  }
  for (std::string& name : type_names) {
    if (std::find(part.file_names.begin(), part.file_names.end(), name) ==
        part.file_names.end()) {
      part.file_names.push_back(std::move(name));
    }
  }
  for (const std::string& text : block.encodings) {
    const auto encoding = parse_encoding(text);
    if (!encoding) result.anomalies.add(Anomaly::unknown_encoding);
    if (part.encoding == Encoding::none)
      part.encoding = encoding.value_or(Encoding::none);
  }
  if (part.type.starts_with("multipart")) {
    part.kind = Part::Kind::multipart;
    if (result.boundaries.empty()) result.anomalies.add(Anomaly::missing_boundary);
    if (result.boundaries.size() > 1) result.anomalies.add(Anomaly::odd_boundary);
    for (const std::string& boundary : result.boundaries) {
      if (boundary.empty() || boundary.size() > kLongBoundary) {
        result.anomalies.add(Anomaly::odd_boundary);
      }
    }
  } else {
    result.boundaries.clear();
    if (part.type == "message/rfc822" || part.type == "message/global" ||
        part.type == "message/news") {
      part.kind = Part::Kind::message;
    }
    if (part.type == "message/partial" || part.type == "message/external-body") {
      result.anomalies.add(Anomaly::partial_message);
    }
  }
  if (part.is_container() && part.encoding != Encoding::none) {
    result.anomalies.add(Anomaly::encoded_container);
  }
  return result;
}

}  // namespace mxfeed::mime
