// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/lines.h"

#include <algorithm>

namespace mxfeed::mime {
Line whole_line(std::string_view line) {
  std::size_t end = 0;
  if (line.ends_with('\n') || line.ends_with('\r')) end = 1;
  if (line.ends_with("\r\n")) end = 2;
  return {line.substr(0, line.size() - end), line.substr(line.size() - end), true};
}

// The position of the first CR or LF; the size if there is none.  memchr(3) searches
// piece by piece: otherwise each short line would cost a search to the end of the text.
std::size_t LineCutter::find_end(std::string_view text) const {
  constexpr std::size_t kPiece = 128;
  for (std::size_t begin = 0; begin < text.size(); begin += kPiece) {
    std::string_view piece = text.substr(begin, kPiece);
    const std::size_t size = piece.size();
    piece = piece.substr(0, piece.find('\n'));
    if (cr_ends_) piece = piece.substr(0, piece.find('\r'));
    if (piece.size() < size) return begin + piece.size();
  }
  return text.size();
}

std::optional<Line> LineCutter::next(std::string_view& input) {
  drop();
  if (input.empty()) return std::nullopt;
  if (!held_.empty() && held_.back() == '\r' && (cr_ends_ || input.front() == '\n')) {
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
  const std::size_t length = find_end(input.substr(0, room + 1));
  if (length > room) return take(input, room, 0);
  if (length == input.size() ||
      (cr_ends_ && input[length] == '\r' && length + 1 == input.size())) {
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
  return line(held_, cr_ends_ && held_.back() == '\r' ? 1 : 0);
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
  if (end == 1 && all.ends_with("\r\n")) end = 2;
  // Programs for which a CR ends no line leave off all of them before the LF.
  while (!cr_ends_ && end > 1 && end < all.size() && all[all.size() - end - 1] == '\r')
    ++end;
  Line line{all.substr(0, all.size() - end), all.substr(all.size() - end), starts_};
  starts_ = end > 0;
  return line;
}

}  // namespace mxfeed::mime
