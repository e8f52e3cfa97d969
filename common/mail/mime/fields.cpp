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

}  // namespace

std::string_view without_trailing_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

ParameterisedValue parse_parameters(std::string_view field_value) {
  const RawField field = parse_raw(unfold(field_value));
  ParameterisedValue result;
  result.value = field.value;
  for (Parameter& parameter : resolved(field, result.duplicate)) {
    if (parameter.name == "boundary") {
      result.boundaries.push_back(parameter.bytes);
      if (!parameter.literal.empty()) result.boundaries.push_back(parameter.literal);
    }
    result.parameters.emplace_back(std::move(parameter.name), std::move(parameter.text));
  }
  return result;
}

}  // namespace mxfeed::mime
