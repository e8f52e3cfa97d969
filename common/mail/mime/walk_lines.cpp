// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/walk.h"

#include "common/base/text.h"
#include "common/mail/mime/fields.h"

namespace mxfeed::mime {
namespace {

constexpr std::size_t kLongLine = 998;  // RFC 5322, 2.1.1

}  // namespace

void Walk::end_outside(Stream& stream) {
  Level& innermost = stream.innermost();
  if (!innermost.multipart) return;
  // The break before a delimiter belongs to it, but preamble and epilogue must not run
  // together.
  raw(stream, innermost, stream.held_end);
  innermost.text->finish();
}

bool Walk::delimit(Stream& stream, const Line& line) {
  const std::string_view text = without_trailing_blanks(line.text).substr(2);
  std::optional<Delimiter> found = stream.find_delimiter(text);
  if (found) {
    const unsigned choice = notes().reading.choice(Ambiguity::delimiter);
    const bool has_blanks = text.size() + 2 < line.text.size();
    if (has_blanks) notes().ambiguities.add(Ambiguity::delimiter, 3);
    if (!found->exact) notes().ambiguities.add(Ambiguity::delimiter, 1);
    const bool is_exact = found->exact && (choice != 3 || !has_blanks);
    if (!is_exact && (choice == 1 || choice == 3)) found.reset();
  }
  if (!found && stream.state == Stream::State::body && !stream.levels.empty() &&
      stream.innermost().multipart && stream.innermost().multipart->guess(text)) {
    found = Delimiter{stream.levels.size() - 1, false, true};
  }
  if (!found) return false;
  if (stream.state == Stream::State::header) {
    if (!stream.header.is_empty()) begin_part(stream);  // its body is empty
    if (stream.state == Stream::State::opaque) return false;
  }
  if (!found->exact) note(Anomaly::boundary_prefix);
  end_outside(stream);
  stream.note_matches(text);
  end_levels(stream, found->level + 1);
  stream.held_end.clear();
  Level& level = stream.innermost();
  level.multipart->divide(found->final, notes());
  if (found->final && notes().reading.choice(Ambiguity::after_end) == 0) {
    stream.state = Stream::State::body;  // the epilogue
    return true;
  }
  stream.state = Stream::State::header;
  stream.header.begin(level.part.type == "multipart/digest" ? "message/rfc822"
                                                            : "text/plain");
  return true;
}

void Walk::header_line(Stream& stream, const Line& line) {
  stream.header_is_over = false;
  switch (stream.header.read(line)) {
    case HeaderReader::Step::more:
      return;
    case HeaderReader::Step::end:
      stream.header_is_over = true;
      begin_part(stream);
      return;
    case HeaderReader::Step::body:
      begin_with_stray(stream);
      break;
    case HeaderReader::Step::dashes:
      if (delimit(stream, line)) return;
      if (stream.state == Stream::State::header) {
        if (!stream.header.is_empty()) {
          note(Anomaly::header_without_end);
          notes().ambiguities.add(Ambiguity::stray_line, 2);
          if (notes().reading.choice(Ambiguity::stray_line) == 2) return;
        }
        begin_part(stream);
      }
      break;
    case HeaderReader::Step::too_long:
      open_opaque(stream, Anomaly::header_too_big);
      break;
  }
  process(stream, line);
}

bool Walk::delimit_loosely(Stream& stream, const Line& line) {
  std::string_view text = line.text;
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (text.starts_with("---")) text.remove_prefix(1);
  if (!text.starts_with("--") || text.size() == line.text.size()) return false;
  const auto found = stream.find_delimiter(without_trailing_blanks(text).substr(2));
  if (!found || !found->exact) return false;
  notes().ambiguities.add(Ambiguity::delimiter, 2);
  return notes().reading.choice(Ambiguity::delimiter) == 2 &&
         delimit(stream, {.text = text, .end = line.end, .starts = true});
}

bool Walk::begin_outside(Stream& stream, const Line& line) {
  const Level& level = stream.innermost();
  const bool is_text = limits_.parts_in_text && level.part.kind == Part::Kind::leaf &&
                       level.part.is_text() && level.part.encoding == Encoding::none &&
                       stream.header_is_over;
  if (!level.multipart && !is_text) return false;
  // Content-Type or Content-Transfer-Encoding.
  if (!istarts_with(line.text, "content-t")) return false;
  if (notes().choose(Ambiguity::outside) == 0) return false;
  if (is_text) {
    raw(stream, stream.innermost(), stream.held_end);
    end_levels(stream, stream.levels.size() - 1);
  } else {
    end_outside(stream);
  }
  stream.held_end.clear();
  stream.state = Stream::State::header;
  stream.header.begin("text/plain");
  process(stream, line);
  return true;
}

void Walk::body_line(Stream& stream, const Line& line) {
  if (line.starts && line.text.starts_with("--") && delimit(stream, line)) return;
  if (line.starts && !line.text.empty() &&
      (is_blank(line.text.front()) || line.text.front() == '-') &&
      delimit_loosely(stream, line)) {
    return;
  }
  if (line.starts && line.text.empty()) stream.header_is_over = true;
  if (line.starts && begin_outside(stream, line)) return;
  // Looked up here: delimit() may have ended parts even when it returned false.
  Level& level = stream.innermost();
  if (level.multipart && !trim(line.text).empty()) level.multipart->note_text();
  raw(stream, level, stream.held_end);
  raw(stream, level, line.text);
  stream.held_end = line.end;
}

void Walk::process(Stream& stream, const Line& line) {
  switch (stream.state) {
    case Stream::State::header:
      header_line(stream, line);
      return;
    case Stream::State::body:
      body_line(stream, line);
      return;
    case Stream::State::opaque:
      raw(stream, stream.innermost(), line.text);
      raw(stream, stream.innermost(), line.end);
      return;
  }
}

void Walk::note_line(const Line& line, bool outermost) {
  if (line.end == "\r") {
    note(Anomaly::bare_cr);
    notes().choose(Ambiguity::bare_cr);
  }
  if (!outermost) return;
  if (line.end == "\n") note(Anomaly::bare_lf);
  if (line.text.size() > kLongLine) note(Anomaly::long_line);
  if (line.text.find('\0') != std::string_view::npos) note(Anomaly::nul);
}

bool Walk::take_line(Stream& stream) {
  const auto line = stream.next_line();
  if (!line) return false;
  note_line(*line, stream.is_outermost());
  process(stream, *line);
  return true;
}

void Walk::drain(std::size_t first) {
  for (std::size_t i = streams_.size(); i-- > first;) {
    if (take_line(*streams_[i])) i = streams_.size();
  }
}

void Walk::begin_body() {
  if (begun_) return;
  begun_ = true;
  begin_part(*streams_.front());
}

void Walk::field(std::string_view name, std::string_view value) {
  streams_.front()->header.field(name, value.substr(0, limits_.header_bytes));
}

void Walk::body(std::string_view chunk) {
  begin_body();
  walked_ += chunk.size();
  streams_.front()->set_input(chunk);
  drain(0);
}

void Walk::end() {
  begin_body();
  close_streams(0);
}

}  // namespace mxfeed::mime
