// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/walker.h"

#include <optional>

#include "common/mail/mime/fields.h"
#include "common/mail/mime/output.h"
#include "common/mail/mime/stream.h"

namespace mxfeed::mime {
namespace {

constexpr std::size_t kLongLine = 998;  // RFC 5322, 2.1.1
// Each line that begins with "--" is compared with all boundaries of the open parts.
constexpr std::size_t kMaxOpenBoundaries = 256;

}  // namespace

struct Walker::Impl {
  Impl(Visitor& visitor, Limits most, const Reading& reading)
      : limits(most), output(visitor, limits, reading) {
    add_stream(0);
  }

  const Limits limits;
  Output output;
  std::vector<std::unique_ptr<Stream>> streams;  // the message, then what is inside
  bool begun = false;                            // the message's header has ended
  std::string decoded;
  std::size_t boundaries = 0;  // of the open parts
  std::uint64_t walked = 0;

  Notes& notes() { return output.notes(); }
  void note(Anomaly anomaly) { notes().add(anomaly); }

  void add_stream(std::size_t depth) {
    streams.push_back(std::make_unique<Stream>(streams.size(), depth, limits, notes()));
    streams.back()->header.begin("text/plain", streams.size() > 1);
  }

  // --- Content of a part ---

  // Takes decoded bytes.
  void content(Stream& stream, Level& level, std::string_view bytes) {
    if (level.look) {
      const MessageLook::Answer answer = level.look->read(bytes);
      if (answer != MessageLook::Answer::unknown) {
        end_look(stream, level, answer == MessageLook::Answer::message);
      }
      return;
    }
    if (level.feeds != Level::Feeds::nothing) {
      walked += bytes.size();
      streams[stream.index + 1]->append(bytes);
    }
    if (level.feeds == Level::Feeds::stream_only) return;
    if (level.text) {
      level.text->read(bytes);
    } else {
      output.give(level.part, bytes);
    }
  }

  // It is known what the leaf is: what was held back goes on its way.
  void end_look(Stream& stream, Level& level, bool is_message) {
    const std::string held = level.look->take();
    level.look.reset();
    if (is_message) open_message(level);
    if (!held.empty()) content(stream, level, held);
  }

  // The content of the leaf is walked through as a message, too.
  void open_message(Level& level) {
    if (streams.size() > limits.encoded_depth || level.part.depth >= limits.depth) {
      note(Anomaly::too_deep);
      return;
    }
    level.text.reset();
    level.part.is_message = true;
    level.feeds = Level::Feeds::stream_too;
    add_stream(level.part.depth + 1);
  }

  void raw(Stream& stream, Level& level, std::string_view bytes) {
    if (bytes.empty()) return;
    if (level.part.kind == Part::Kind::opaque ||
        (level.part.kind == Part::Kind::multipart &&
         level.feeds == Level::Feeds::nothing) ||
        level.part.encoding == Encoding::none) {
      content(stream, level, bytes);
      return;
    }
    decoded.clear();
    level.decoder.decode(bytes, decoded, notes());
    content(stream, level, decoded);
  }

  // What the decoder holds back.
  void finish_decoder(Stream& stream, Level& level) {
    decoded.clear();
    level.decoder.finish(decoded, notes());
    if (!decoded.empty()) content(stream, level, decoded);
  }

  // --- Parts ---

  // Ends the innermost part of the stream; all streams above it have ended.
  void end_level(Stream& stream) {
    Level& level = stream.innermost();
    if (level.look) end_look(stream, level, false);
    finish_decoder(stream, level);
    if (level.text) level.text->finish();
    if (level.multipart) {
      level.multipart->finish(notes());
      boundaries -= level.multipart->boundaries();
    }
    output.end(level.part);
    stream.levels.pop_back();
  }

  // Ends the parts from level `keep` on, and the streams in them.  Only the innermost
  // part of a stream can feed another one.
  void end_levels(Stream& stream, std::size_t keep) {
    if (keep < stream.levels.size() && streams.size() > stream.index + 1) {
      finish_decoder(stream, stream.innermost());
      close_streams(stream.index + 1);
    }
    while (stream.levels.size() > keep) end_level(stream);
  }

  // Ends the streams from `keep` on.  Their input is finished outermost first: what one
  // still holds goes to the next one.  Each nested call is for a higher stream, so the
  // recursion ends.
  void close_streams(std::size_t keep) {
    for (std::size_t i = keep; i < streams.size(); ++i) finish_input(*streams[i]);
    while (streams.size() > keep) {
      Stream& last = *streams.back();
      while (!last.levels.empty()) end_level(last);
      streams.pop_back();
      if (!streams.empty()) streams.back()->innermost().feeds = Level::Feeds::nothing;
    }
  }

  // No more bytes will come: processes what is held back.
  void finish_input(Stream& stream) {
    drain(stream.index);
    if (const auto line = stream.rest()) {
      note_line(*line, stream.is_outermost());
      process(stream, *line);
    }
    while (stream.state == Stream::State::header) {
      if (stream.header.has_stray()) {
        begin_with_stray(stream);
        continue;
      }
      if (stream.header.is_empty() && !stream.levels.empty()) break;
      begin_part(stream);
    }
    Level& level = stream.innermost();
    raw(stream, level, std::exchange(stream.held_end, {}));
    if (level.look) end_look(stream, level, false);
    if (level.feeds != Level::Feeds::nothing) finish_decoder(stream, level);
    drain(stream.index + 1);
  }

  // Makes the rest of the stream one opaque part.
  void open_opaque(Stream& stream, Anomaly why) {
    note(why);
    end_levels(stream, 0);
    Description rest;
    rest.part.kind = Part::Kind::opaque;
    rest.part.type = "application/octet-stream";
    rest.part.depth = stream.base_depth;
    stream.levels.push_back(std::make_unique<Level>(std::move(rest)));
    stream.held_end.clear();
    stream.state = Stream::State::opaque;
    output.begin(stream.innermost().part);
  }

  // The limit that the part would exceed.
  std::optional<Anomaly> limit_passed(const Stream& stream,
                                      const Description& found) const {
    if (stream.next_depth() > limits.depth ||
        (found.decodes && streams.size() > limits.encoded_depth)) {
      return Anomaly::too_deep;
    }
    if (output.is_full()) return Anomaly::too_many_parts;
    for (const std::string& boundary : found.boundaries) {
      if (boundary.size() > limits.boundary) return Anomaly::boundary_too_long;
    }
    return std::nullopt;
  }

  // The header has ended.
  void begin_part(Stream& stream) {
    Description found = stream.header.finish();
    stream.held_end.clear();
    if (const auto passed = limit_passed(stream, found)) {
      open_opaque(stream, *passed);
      return;
    }
    if (found.decodes && found.part.kind == Part::Kind::multipart) {
      begin_encoded_multipart(stream, std::move(found));
      return;
    }
    push_part(stream, std::move(found));
  }

  void push_part(Stream& stream, Description found) {
    found.part.depth = stream.next_depth();
    const Part::Kind kind = found.part.kind;
    const bool is_file = found.is_file;
    const bool decodes = found.decodes;
    const bool divides = kind == Part::Kind::multipart && !decodes;
    std::vector<std::string> dividers = std::move(found.boundaries);
    const unsigned first = found.first_boundary;
    stream.levels.push_back(std::make_unique<Level>(std::move(found)));
    Level& level = stream.innermost();
    if (divides) divide(level, std::move(dividers), first);
    if (divides ||
        (kind == Part::Kind::leaf && TextContent::may_hold_files(level.part))) {
      level.text.emplace(level.part, output);
    }
    stream.state = kind == Part::Kind::message && !decodes ? Stream::State::header
                                                           : Stream::State::body;
    if (stream.state == Stream::State::header) stream.header.begin("text/plain", true);
    output.begin(level.part);
    if (decodes) {
      level.feeds = Level::Feeds::stream_only;
      add_stream(level.part.depth + 1);
    }
    if (kind == Part::Kind::leaf && !is_file) {
      if (is_message_by_name(level.part)) {
        open_message(level);
      } else {
        level.look.emplace();
      }
    }
  }

  void divide(Level& level, std::vector<std::string> dividers, unsigned first) {
    if (boundaries + dividers.size() > kMaxOpenBoundaries) {
      notes().ambiguities.add_too_many();
      dividers.resize(1);
    }
    boundaries += dividers.size();
    level.multipart.emplace(std::move(dividers), first);
  }

  // The encoded multipart holds one that is not encoded, in a stream of its own.
  void begin_encoded_multipart(Stream& stream, Description found) {
    Description inner = found;
    inner.part.encoding = Encoding::none;
    inner.decodes = false;
    push_part(stream, std::move(found));
    push_part(*streams.back(), std::move(inner));
  }

  // The same, and the stray lines of the header become the first lines of the body.
  void begin_with_stray(Stream& stream) {
    const std::vector<std::string> lines = stream.header.take_stray();
    begin_part(stream);
    for (const std::string& line : lines) process(stream, whole_line(line));
  }

  // --- Lines ---

  // Whether the line, which begins with "--", is a delimiter; if so, it has been
  // processed.
  bool delimit(Stream& stream, const Line& line) {
    const std::string_view text = without_trailing_blanks(line.text).substr(2);
    std::optional<Delimiter> found = stream.find_delimiter(text);
    if (found && !found->exact && notes().choose(Ambiguity::delimiter) == 1) {
      found.reset();
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
    // The break before a delimiter belongs to it, but preamble and epilogue must not run
    // together.
    Level& innermost = stream.innermost();
    if (innermost.multipart) {
      raw(stream, innermost, stream.held_end);
      innermost.text->finish();
    }
    stream.note_matches(text);
    end_levels(stream, found->level + 1);
    stream.held_end.clear();
    Level& level = stream.innermost();
    level.multipart->divide(found->final, notes());
    if (found->final) {
      stream.state = Stream::State::body;  // the epilogue
      return true;
    }
    stream.state = Stream::State::header;
    stream.header.begin(level.part.type == "multipart/digest" ? "message/rfc822"
                                                              : "text/plain");
    return true;
  }

  void header_line(Stream& stream, const Line& line) {
    switch (stream.header.read(line)) {
      case HeaderReader::Step::more:
        return;
      case HeaderReader::Step::end:
        begin_part(stream);
        return;
      case HeaderReader::Step::body:
        begin_with_stray(stream);
        break;
      case HeaderReader::Step::dashes:
        if (delimit(stream, line)) return;
        if (stream.state == Stream::State::header) {
          if (!stream.header.is_empty()) note(Anomaly::header_without_end);
          begin_part(stream);
        }
        break;
      case HeaderReader::Step::too_long:
        open_opaque(stream, Anomaly::header_too_big);
        break;
    }
    process(stream, line);
  }

  void body_line(Stream& stream, const Line& line) {
    if (line.starts && line.text.starts_with("--") && delimit(stream, line)) return;
    // Looked up here: delimit() may have ended parts even when it returned false.
    Level& level = stream.innermost();
    raw(stream, level, stream.held_end);
    raw(stream, level, line.text);
    stream.held_end = line.end;
  }

  void process(Stream& stream, const Line& line) {
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

  void note_line(const Line& line, bool outermost) {
    if (line.end == "\r") {
      note(Anomaly::bare_cr);
      notes().choose(Ambiguity::bare_cr);
    }
    if (!outermost) return;
    if (line.end == "\n") note(Anomaly::bare_lf);
    if (line.text.size() > kLongLine) note(Anomaly::long_line);
    if (line.text.find('\0') != std::string_view::npos) note(Anomaly::nul);
  }

  // The next line of the stream, if there is a whole one.
  bool take_line(Stream& stream) {
    const auto line = stream.next_line();
    if (!line) return false;
    note_line(*line, stream.is_outermost());
    process(stream, *line);
    return true;
  }

  // Processes the input of the streams from `first` on, the innermost first.
  void drain(std::size_t first) {
    for (std::size_t i = streams.size(); i-- > first;) {
      if (take_line(*streams[i])) i = streams.size();
    }
  }

  void begin_body() {
    if (begun) return;
    begun = true;
    begin_part(*streams.front());
  }
};

Walker::Walker(Visitor& visitor, Limits limits, const Reading& reading)
    : impl_(std::make_unique<Impl>(visitor, limits, reading)) {}
Walker::~Walker() = default;

void Walker::field(std::string_view name, std::string_view value) {
  impl_->streams.front()->header.field(name, value.substr(0, impl_->limits.header_bytes));
}

void Walker::body(std::string_view chunk) {
  impl_->begin_body();
  impl_->walked += chunk.size();
  impl_->streams.front()->set_input(chunk);
  impl_->drain(0);
}

void Walker::end() {
  impl_->begin_body();
  impl_->close_streams(0);
}

Anomalies Walker::anomalies() const {
  return impl_->output.notes().anomalies;
}
const Ambiguities& Walker::ambiguities() const {
  return impl_->output.notes().ambiguities;
}
std::uint64_t Walker::walked() const {
  return impl_->walked;
}
std::size_t Walker::parts() const {
  return impl_->output.parts();
}

}  // namespace mxfeed::mime
