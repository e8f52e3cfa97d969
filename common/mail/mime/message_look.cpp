// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/message_look.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/mail/header.h"

namespace mxfeed::mime {
namespace {

constexpr std::size_t kMaxHeader = std::size_t{64} * 1024;
constexpr std::size_t kMaxLine = std::size_t{8} * 1024;
constexpr std::size_t kMaxName = 80;

bool is_from_line(std::string_view line) {
  return line.starts_with("From ") || line.starts_with(">From ");
}

// Whether more bytes can make a field, or a line "From ", of `line`.
bool may_become_field(std::string_view line) {
  if (is_from_line(line) || std::string_view(">From ").starts_with(line) ||
      is_blank(line.front())) {
    return true;
  }
  const std::string_view name = line.substr(0, line.find(':'));
  return name.size() <= kMaxName && (name.empty() || is_field_name(trim(name)));
}

}  // namespace

bool is_message_by_name(const Part& part) {
  for (const std::string& name : part.file_names) {
    std::string lower = ascii_lower(name);
    // Windows drops them from the end of a name.
    while (!lower.empty() && (lower.back() == '.' || is_space(lower.back()))) {
      lower.pop_back();
    }
    for (const std::string_view end : {".eml", ".mht", ".mhtml", ".nws", ".mbox"}) {
      if (lower.ends_with(end)) return true;
    }
  }
  return false;
}

MessageLook::Answer MessageLook::read(std::string_view bytes) {
  held_ += bytes;
  for (;;) {
    const std::size_t end = held_.find_first_of("\r\n", searched_);
    searched_ = std::min(end, held_.size());
    const std::string_view rest = std::string_view(held_).substr(read_);
    if (searched_ + 1 >= held_.size() && !rest.ends_with('\n')) break;  // more may come
    const std::string_view line = rest.substr(0, searched_ - read_);
    const Answer answer = read_line(line);
    if (answer != Answer::unknown) return answer;
    const bool crlf = held_.compare(searched_, 2, "\r\n") == 0;
    read_ = searched_ += crlf ? 2 : 1;
    if (read_ > kMaxHeader) return Answer::other;
  }
  const std::string_view rest = std::string_view(held_).substr(read_);
  if (rest.size() > kMaxLine + 1 || (!rest.empty() && !may_become_field(rest))) {
    return Answer::other;
  }
  return Answer::unknown;
}

MessageLook::Answer MessageLook::read_line(std::string_view line) {
  const bool first = !std::exchange(any_, true);
  if (line.empty() || line.size() > kMaxLine) return Answer::other;
  if (is_blank(line.front())) return first ? Answer::other : Answer::unknown;
  if (first && is_from_line(line)) return Answer::unknown;
  const std::size_t colon = line.find(':');
  const std::string_view name = trim(line.substr(0, colon));
  if (colon == std::string_view::npos || colon > kMaxName || !is_field_name(name)) {
    return Answer::other;
  }
  return iequals(name, "content-type") || iequals(name, "content-transfer-encoding")
             ? Answer::message
             : Answer::unknown;
}

}  // namespace mxfeed::mime
