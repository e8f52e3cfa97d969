// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/header_reader.h"

#include <utility>

#include "common/base/base64.h"
#include "common/base/text.h"
#include "common/mail/header.h"
#include "common/mail/mime/fields.h"

namespace mxfeed::mime {
namespace {

constexpr std::size_t kMaxStrayLines = 8;
constexpr std::size_t kMaxStrayBytes = 1024;

}  // namespace

void HeaderReader::begin(std::string_view default_type, bool of_message) {
  block_ = {};
  may_be_from_ = of_message;
  bytes_ = 0;
  default_type_ = default_type;
  field_.clear();
  in_field_ = false;
  take_stray();
}

void HeaderReader::field(std::string_view name, std::string_view value) {
  const std::string_view clean = without_trailing_blanks(name);
  if (clean.size() < name.size()) {
    notes_.add(Anomaly::odd_field);
    if (notes_.choose(Ambiguity::blank_before_colon) == 1) return;
  }
  block_.add(clean, value, notes_);
}

HeaderReader::Step HeaderReader::read(const Line& line) {
  const std::string_view text = line.text;
  bytes_ += text.size() + line.end.size();
  if (bytes_ > most_) return Step::too_long;
  if (!line.starts) {
    if (in_field_) field_ += text;
    return Step::more;
  }
  const bool may_be_from = std::exchange(may_be_from_, false);
  if (text.empty()) return end_line();
  if (text.starts_with("--")) {
    // If there are stray lines, they are the body, which a delimiter ends.  Otherwise
    // this may be a delimiter of the part itself without a blank line before it.
    return has_stray() ? Step::body : Step::dashes;
  }
  if (text.find('\0') != std::string_view::npos) notes_.add(Anomaly::nul);
  if (is_blank(text.front())) {
    if (const auto step = blank_line(line)) return *step;
  }
  if (may_be_from && (text.starts_with("From ") || text.starts_with(">From "))) {
    notes_.add(Anomaly::header_without_end);
    return Step::more;
  }
  const std::size_t colon = text.find(':');
  const std::string_view name =
      colon == std::string_view::npos ? "" : trim(text.substr(0, colon));
  if (!is_field_name(name)) {
    commit_field();
    return stray_line(line);
  }
  if (has_stray()) {
    if (!istarts_with(name, "content-")) return stray_line(line);
    take_stray();  // more fields follow, so they are not the body: dropped
  }
  commit_field();
  in_field_ = true;
  field_ = trim(text);
  return Step::more;
}

// A line that begins with a blank: the continuation of a field.
std::optional<HeaderReader::Step> HeaderReader::blank_line(const Line& line) {
  if (trim(line.text).empty() && !line.end.empty() &&
      notes_.choose(Ambiguity::blank_line) == 1) {
    return end_line();
  }
  if (in_field_) {
    field_ += line.text;
    return Step::more;
  }
  if (has_stray()) return stray_line(line);
  notes_.add(Anomaly::odd_field);
  const unsigned choice = notes_.choose(Ambiguity::stray_line, 2);
  if (choice == 1) return stray_line(line);
  if (choice == 2) return Step::more;
  return std::nullopt;
}

std::vector<std::string> HeaderReader::take_stray() {
  stray_bytes_ = 0;
  return std::exchange(stray_, {});
}

Description HeaderReader::finish() {
  commit_field();
  Description found = describe(block_, default_type_, notes_);
  begin("text/plain");
  return found;
}

// Stray lines before the blank line count as content, unless the part is base64 and they
// are not: they would garble the decoding.
HeaderReader::Step HeaderReader::end_line() {
  commit_field();
  if (!has_stray()) return Step::end;
  if (stray_is_content()) return Step::body;
  take_stray();
  return Step::end;
}

HeaderReader::Step HeaderReader::stray_line(const Line& line) {
  notes_.add(Anomaly::header_without_end);
  const unsigned choice = notes_.choose(Ambiguity::stray_line, 2);
  if (choice == 2) return Step::more;
  block_.any = true;
  if (choice == 1) return Step::body;
  const std::size_t size = line.text.size() + line.end.size();
  if (stray_.size() + 1 >= kMaxStrayLines || stray_bytes_ + size >= kMaxStrayBytes) {
    return Step::body;
  }
  stray_.emplace_back(line.text) += line.end;
  stray_bytes_ += size;
  return Step::more;
}

bool HeaderReader::stray_is_content() const {
  bool base64 = false;
  for (const std::string& value : block_.encodings) {
    base64 |= parse_encoding(value) == Encoding::base64;
  }
  if (!base64) return true;
  for (const std::string& line : stray_) {
    for (const char c : line) {
      if (base64_digit(c) < 0 && c != '=' && !is_space(c)) return false;
    }
  }
  return true;
}

void HeaderReader::commit_field() {
  if (!in_field_) return;
  in_field_ = false;
  const std::string_view field = field_;
  const std::size_t colon = field.find(':');
  block_.any = true;
  this->field(field.substr(0, colon), field.substr(colon + 1));
  field_.clear();
}

}  // namespace mxfeed::mime
