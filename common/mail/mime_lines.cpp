// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime_lines.h"

#include <algorithm>

namespace mxfeed::mime {

std::optional<Line> LineCutter::next(std::string_view& input) {
  drop();
  if (input.empty()) return std::nullopt;
  if (!held_.empty() && held_.back() == '\r') {
    std::size_t end = 1;
    if (input.front() == '\n') {
      held_ += '\n';
      input.remove_prefix(1);
      end = 2;
    }
    given_ = true;
    return line(held_, end);
  }
  const std::size_t room = kMaxLine - held_.size();
  std::size_t length = 0;
  const std::size_t most = std::min(input.size(), room + 1);
  while (length < most && input[length] != '\n' && input[length] != '\r') ++length;
  if (length > room) return take(input, room, 0);
  if (length == input.size() || (input[length] == '\r' && length + 1 == input.size())) {
    held_ += input;  // whether a CR ends the line alone shows with the next byte
    input = {};
    return std::nullopt;
  }
  const std::size_t end = input[length] == '\r' && input[length + 1] == '\n' ? 2 : 1;
  return take(input, length + end, end);
}

std::optional<Line> LineCutter::rest() {
  drop();
  if (held_.empty()) return std::nullopt;
  given_ = true;
  return line(held_, held_.back() == '\r' ? 1 : 0);
}

void LineCutter::drop() {
  if (given_) held_.clear();
  given_ = false;
}

Line LineCutter::take(std::string_view& input, std::size_t length, std::size_t end) {
  std::string_view all = input.substr(0, length);
  if (!held_.empty()) {
    held_ += all;
    all = held_;
    given_ = true;
  }
  input.remove_prefix(length);
  return line(all, end);
}

Line LineCutter::line(std::string_view all, std::size_t end) {
  Line line{all.substr(0, all.size() - end), all.substr(all.size() - end), starts_};
  starts_ = end > 0;
  return line;
}

}  // namespace mxfeed::mime
