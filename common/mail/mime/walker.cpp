// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/walker.h"

#include <optional>

#include "common/base/base64.h"
#include "common/base/text.h"
#include "common/mail/charset.h"
#include "common/mail/header.h"
#include "common/mail/mime/decode.h"
#include "common/mail/mime/fields.h"
#include "common/mail/mime/lines.h"

namespace mxfeed::mime {
namespace {

constexpr std::size_t kLongLine = 998;     // RFC 5322, 2.1.1
constexpr std::size_t kMaxGuessed = 200;   // bytes of a guessed boundary
constexpr std::size_t kMaxStrayLines = 8;  // see Stream::stray
constexpr std::size_t kMaxStrayBytes = 1024;
constexpr std::size_t kFlush = std::size_t{16} * 1024;

// An open part.
struct Level {
  explicit Level(Encoding encoding) : decoder(encoding) {}

  Part part;
  Decoder decoder;
  bool feeds_stream = false;  // its decoded content is the stream above

  // Of a multipart.  Each of the boundaries divides it.
  std::vector<std::string> boundaries;
  bool guess = false;  // take the first line that looks like a delimiter
  bool divided = false;
  bool closed = false;

  // Of text, in which uuencoded files are looked for.
  bool scans = false;
  LineCutter cutter;
  std::string begin_line;      // "begin 644 x" until the next line shows what it is
  std::unique_ptr<Part> file;  // the uuencoded part that is open
};

// A sequence of lines with parts in it: the message, or an encoded message in a part.
struct Stream {
  enum class State { header, body, opaque };

  Stream(std::size_t place, std::size_t depth) : index(place), base_depth(depth) {}

  std::size_t index;       // in Walker::Impl::streams
  std::size_t base_depth;  // of its outermost part
  std::string buffer;
  std::string_view input;  // not yet cut; into the buffer, or the caller's chunk
  LineCutter cutter;
  std::vector<std::unique_ptr<Level>> levels;
  State state = State::header;
  std::string held_end;  // of the last line: belongs to a delimiter if one follows

  // In a header.
  Block block;
  std::string_view default_type = "text/plain";
  std::string field;  // the current one with its continuations
  bool in_field = false;
  // Lines that are no fields.  Either the blank line before the body is missing, or
  // rubbish stands between the fields: programs differ, so the next lines decide.
  std::vector<std::string> stray;
  std::size_t stray_bytes = 0;

  void append(std::string_view bytes) {
    buffer.erase(0, buffer.size() - input.size());
    buffer += bytes;
    input = buffer;
  }
};

struct Delimiter {
  std::size_t level;
  bool final;
  bool exact;
};

}  // namespace

struct Walker::Impl {
  Impl(Visitor& to, Limits most) : visitor(to), limits(most) {
    streams.push_back(std::make_unique<Stream>(0, 0));
  }

  Visitor& visitor;
  const Limits limits;
  Anomalies anomalies;
  std::size_t parts = 0;
  std::vector<std::unique_ptr<Stream>> streams;  // the message, then what is inside
  bool begun = false;                            // the message's header is over

  // Data on its way to the visitor.
  std::string out;
  const Part* out_part = nullptr;
  std::string decoded;

  // --- To the visitor ---

  void flush() {
    if (!out.empty()) visitor.data(*out_part, out);
    out.clear();
    out_part = nullptr;
  }

  void give(const Part& part, std::string_view bytes) {
    if (bytes.empty()) return;
    if (out_part != &part || out.size() >= kFlush) flush();
    out_part = &part;
    out += bytes;
  }

  void begin(Part& part) {
    flush();
    part.number = parts++;
    visitor.begin_part(part);
  }

  void end(const Part& part) {
    flush();
    visitor.end_part(part);
  }

  // --- Content of a part ---

  void content(Stream& stream, Level& level, std::string_view bytes) {
    if (level.feeds_stream) {
      streams[stream.index + 1]->append(bytes);
    } else if (level.scans) {
      std::string_view input = bytes;
      while (const auto line = level.cutter.next(input)) scan(stream, level, *line);
    } else {
      give(level.part, bytes);
    }
  }

  void raw(Stream& stream, Level& level, std::string_view bytes) {
    if (bytes.empty()) return;
    if (level.part.kind == Part::Kind::opaque ||
        level.part.kind == Part::Kind::multipart ||
        level.part.encoding == Encoding::none) {
      content(stream, level, bytes);
      return;
    }
    decoded.clear();
    level.decoder.decode(bytes, decoded, anomalies);
    content(stream, level, decoded);
  }

  void scan(Stream& stream, Level& level, const Line& line) {
    if (level.file != nullptr) {
      const std::string_view text = without_trailing_blanks(line.text);
      if (text == "end") {
        end_file(level);
        return;
      }
      if (line.starts && (text.empty() || text == "`")) return;  // a line of no bytes
      if (line.starts && is_uu_line(line.text)) {
        std::string bytes;
        uu_decode(line.text, bytes);
        give(*level.file, bytes);
        return;
      }
      anomalies.add(Anomaly::bad_uuencoded);
      end_file(level);
    }
    if (!level.begin_line.empty()) {
      const std::string held = std::exchange(level.begin_line, {});
      if (line.starts && is_uu_line(line.text) && begin_file(stream, level, held)) {
        scan(stream, level, line);  // once: a file is open now
        return;
      }
      give(level.part, held);
    }
    if (line.starts && !line.end.empty() && uu_begin(line.text)) {
      level.begin_line = line.text;
      level.begin_line += line.end;
      return;
    }
    give(level.part, line.text);
    give(level.part, line.end);
  }

  bool begin_file(const Stream& stream, Level& level, std::string_view begin_line) {
    const auto name = uu_begin(trim(begin_line));
    const std::size_t depth = stream.base_depth + stream.levels.size();
    if (parts >= limits.parts) anomalies.add(Anomaly::too_many_parts);
    if (depth > limits.depth) anomalies.add(Anomaly::too_deep);
    if (!name || parts >= limits.parts || depth > limits.depth) return false;
    anomalies.add(Anomaly::uuencoded);
    level.file = std::make_unique<Part>();
    level.file->kind = Part::Kind::uuencoded;
    level.file->depth = depth;
    level.file->type = "application/octet-stream";
    level.file->file_names.push_back(to_utf8(*name, level.part.charset));
    begin(*level.file);
    return true;
  }

  void end_file(Level& level) {
    const std::unique_ptr<Part> file = std::move(level.file);
    if (file != nullptr) end(*file);
  }

  // --- Parts ---

  // What follows is no part of this text.
  void end_text(Stream& stream, Level& level) {
    if (!level.scans) return;
    if (const auto line = level.cutter.rest()) scan(stream, level, *line);
    give(level.part, std::exchange(level.begin_line, {}));
    if (level.file != nullptr) {
      anomalies.add(Anomaly::bad_uuencoded);
      end_file(level);
    }
  }

  // Ends the innermost part of the stream; all streams above it have ended.
  void end_level(Stream& stream) {
    Level& level = *stream.levels.back();
    if (!level.feeds_stream) {
      decoded.clear();
      level.decoder.finish(decoded, anomalies);
      if (!decoded.empty()) content(stream, level, decoded);
      end_text(stream, level);
    }
    if (level.part.kind == Part::Kind::multipart) {
      if (!level.divided) {
        anomalies.add(Anomaly::no_parts);
      } else if (!level.closed) {
        anomalies.add(Anomaly::missing_final_boundary);
      }
    }
    end(level.part);
    stream.levels.pop_back();
  }

  // Ends the parts from level `keep` on, and the streams in them.
  void end_levels(Stream& stream, std::size_t keep) {
    if (keep < stream.levels.size() && streams.size() > stream.index + 1) {
      finish_feeder(stream);
      close_streams(stream.index + 1);
    }
    while (stream.levels.size() > keep) end_level(stream);
  }

  // Gives the stream above what the decoder holds back.  The part that feeds a stream is
  // always the innermost one.
  void finish_feeder(Stream& stream) {
    Level& feeder = *stream.levels.back();
    decoded.clear();
    feeder.decoder.finish(decoded, anomalies);
    if (!decoded.empty()) content(stream, feeder, decoded);
  }

  // Ends the streams from `keep` on.  Outermost first: what one still holds goes to the
  // one inside of it.  Nested calls are for ever higher streams.
  void close_streams(std::size_t keep) {
    for (std::size_t i = keep; i < streams.size(); ++i) finish_input(*streams[i]);
    while (streams.size() > keep) {
      Stream& last = *streams.back();
      while (!last.levels.empty()) end_level(last);
      streams.pop_back();
      if (!streams.empty()) streams.back()->levels.back()->feeds_stream = false;
    }
  }

  // No more bytes will come: what is held back is the end.
  void finish_input(Stream& stream) {
    drain(stream.index);
    if (const auto line = stream.cutter.rest()) {
      note(*line, stream.index == 0);
      process(stream, *line);
    }
    while (stream.state == Stream::State::header) {
      if (!stream.stray.empty()) {
        replay(stream);
        continue;
      }
      commit_field(stream);
      if (!stream.block.any && !stream.levels.empty()) break;
      begin_part(stream);
    }
    raw(stream, *stream.levels.back(), std::exchange(stream.held_end, {}));
    if (stream.levels.back()->feeds_stream) finish_feeder(stream);
    drain(stream.index + 1);
  }

  void open_opaque(Stream& stream, Anomaly why) {
    anomalies.add(why);
    end_levels(stream, 0);
    auto level = std::make_unique<Level>(Encoding::none);
    level->part.kind = Part::Kind::opaque;
    level->part.type = "application/octet-stream";
    level->part.depth = stream.base_depth;
    stream.levels.push_back(std::move(level));
    stream.block = {};
    stream.held_end.clear();
    stream.state = Stream::State::opaque;
    begin(stream.levels.back()->part);
  }

  // The header is over.
  void begin_part(Stream& stream) {
    Description found = describe(stream.block, stream.default_type);
    anomalies.add(found.anomalies);
    stream.block = {};
    stream.default_type = "text/plain";
    stream.held_end.clear();
    const std::size_t depth = stream.base_depth + stream.levels.size();
    const bool encoded_message =
        found.part.kind == Part::Kind::message && found.part.encoding != Encoding::none;
    if (depth > limits.depth ||
        (encoded_message && streams.size() > limits.encoded_depth)) {
      open_opaque(stream, Anomaly::too_deep);
      return;
    }
    if (parts >= limits.parts) {
      open_opaque(stream, Anomaly::too_many_parts);
      return;
    }
    for (const std::string& boundary : found.boundaries) {
      if (boundary.size() > limits.boundary) {
        open_opaque(stream, Anomaly::boundary_too_long);
        return;
      }
    }
    auto level = std::make_unique<Level>(found.part.encoding);
    level->part = std::move(found.part);
    level->part.depth = depth;
    level->boundaries = std::move(found.boundaries);
    const Part::Kind kind = level->part.kind;
    level->guess = kind == Part::Kind::multipart && level->boundaries.empty();
    level->scans = level->part.is_text() || kind == Part::Kind::multipart;
    level->feeds_stream = encoded_message;
    stream.levels.push_back(std::move(level));
    stream.state = kind == Part::Kind::message && !encoded_message ? Stream::State::header
                                                                   : Stream::State::body;
    begin(stream.levels.back()->part);
    if (encoded_message) {
      streams.push_back(std::make_unique<Stream>(stream.index + 1, depth + 1));
    }
  }

  // --- Delimiters ---

  std::optional<Delimiter> find_delimiter(const Stream& stream, std::string_view text) {
    const std::string_view rest = without_trailing_blanks(text).substr(2);
    std::optional<Delimiter> prefix;
    std::size_t prefix_length = 0;
    for (std::size_t i = stream.levels.size(); i-- > 0;) {
      for (const std::string& boundary : stream.levels[i]->boundaries) {
        if (!rest.starts_with(boundary)) continue;
        const std::string_view more = rest.substr(boundary.size());
        if (more.empty()) return Delimiter{i, false, true};
        if (more == "--") return Delimiter{i, true, true};
        // RFC 2046, 5.1.1: it suffices that the boundary appears in its entirety.  The
        // longest one that does; a rule of dashes is none.
        if (boundary.size() > prefix_length &&
            boundary.find_first_not_of('-') != std::string::npos) {
          prefix = Delimiter{i, false, false};
          prefix_length = boundary.size();
        }
      }
    }
    return prefix;
  }

  // A line that begins with "--"; whether it is a delimiter and was dealt with.
  bool delimit(Stream& stream, const Line& line) {
    std::optional<Delimiter> found = find_delimiter(stream, line.text);
    if (!found && stream.state == Stream::State::body && !stream.levels.empty()) {
      Level& level = *stream.levels.back();
      const std::string_view rest = without_trailing_blanks(line.text).substr(2);
      if (level.guess && !rest.empty() && rest.size() <= kMaxGuessed) {
        level.boundaries.emplace_back(rest);
        level.guess = false;
        found = Delimiter{stream.levels.size() - 1, false, true};
      }
    }
    if (!found) return false;
    if (stream.state == Stream::State::header) {
      commit_field(stream);
      if (stream.block.any) begin_part(stream);  // its body is empty
      if (stream.state == Stream::State::opaque) return false;
    }
    if (!found->exact) anomalies.add(Anomaly::boundary_prefix);
    // The break before a delimiter belongs to it, but preamble and epilogue must not run
    // together.
    Level& innermost = *stream.levels.back();
    if (innermost.part.kind == Part::Kind::multipart) {
      raw(stream, innermost, stream.held_end);
      end_text(stream, innermost);
    }
    end_levels(stream, found->level + 1);
    Level& level = *stream.levels.back();
    stream.held_end.clear();
    if (found->final) {
      level.closed = true;
      stream.state = Stream::State::body;  // the epilogue
      return true;
    }
    if (level.closed) anomalies.add(Anomaly::part_after_end);
    level.divided = true;
    level.closed = false;
    stream.state = Stream::State::header;
    stream.default_type =
        level.part.type == "multipart/digest" ? "message/rfc822" : "text/plain";
    return true;
  }

  // --- Lines ---

  void commit_field(Stream& stream) {
    if (!stream.in_field) return;
    stream.in_field = false;
    const std::size_t colon = stream.field.find(':');
    stream.block.add(
        without_trailing_blanks(std::string_view(stream.field).substr(0, colon)),
        std::string_view(stream.field).substr(colon + 1));
    stream.field.clear();
  }

  // The stray lines were the body's first.
  void replay(Stream& stream) {
    const std::vector<std::string> lines = std::exchange(stream.stray, {});
    stream.stray_bytes = 0;
    commit_field(stream);
    begin_part(stream);
    for (const std::string& line : lines) {
      const std::string_view text = line;
      const std::size_t end = text.ends_with("\r\n")                         ? 2
                              : text.ends_with('\n') || text.ends_with('\r') ? 1
                                                                             : 0;
      process(stream,
              {text.substr(0, text.size() - end), text.substr(text.size() - end)});
    }
  }

  void stray_line(Stream& stream, const Line& line) {
    anomalies.add(Anomaly::header_without_end);
    stream.block.any = true;
    std::string& kept = stream.stray.emplace_back(line.text);
    kept += line.end;
    stream.stray_bytes += kept.size();
    if (stream.stray.size() >= kMaxStrayLines || stream.stray_bytes >= kMaxStrayBytes) {
      replay(stream);
    }
  }

  // At the blank line: whether the stray lines are content rather than rubbish.  In
  // base64 rubbish would shift what follows it.
  bool stray_is_content(const Stream& stream) const {
    bool base64 = false;
    for (const std::string& value : stream.block.encodings) {
      base64 |= encoding_of(value) == Encoding::base64;
    }
    if (!base64) return true;
    for (const std::string& line : stream.stray) {
      for (const char c : line) {
        if (base64_digit(c) < 0 && c != '=' && !is_space(c)) {
          return false;
        }
      }
    }
    return true;
  }

  void header_line(Stream& stream, const Line& line) {
    const std::string_view text = line.text;
    stream.block.bytes += text.size() + line.end.size();
    if (stream.block.bytes > limits.header_bytes) {
      open_opaque(stream, Anomaly::header_too_big);
      process(stream, line);
      return;
    }
    if (!line.starts) {
      if (stream.in_field) stream.field += text;
      return;
    }
    if (text.empty()) {
      commit_field(stream);
      if (!stream.stray.empty()) {
        if (stray_is_content(stream)) {
          replay(stream);
          process(stream, line);
          return;
        }
        stream.stray.clear();
        stream.stray_bytes = 0;
      }
      begin_part(stream);
      return;
    }
    if (text.starts_with("--")) {
      // Stray lines are the body of the part that a delimiter ends, and a delimiter
      // of the part itself may come without a blank line before it.
      if (!stream.stray.empty()) {
        replay(stream);
        process(stream, line);
        return;
      }
      if (delimit(stream, line)) return;
      if (stream.state == Stream::State::header) {
        commit_field(stream);
        if (stream.block.any) anomalies.add(Anomaly::header_without_end);
        begin_part(stream);
      }
      process(stream, line);
      return;
    }
    if (text.find('\0') != std::string_view::npos) anomalies.add(Anomaly::nul);
    if (is_blank(text.front())) {
      if (stream.in_field) {
        stream.field += text;
        return;
      }
      if (!stream.stray.empty()) {
        stray_line(stream, line);
        return;
      }
      anomalies.add(Anomaly::odd_field);
    }
    const std::size_t colon = text.find(':');
    const std::string_view name =
        colon == std::string_view::npos ? "" : trim(text.substr(0, colon));
    if (!is_field_name(name)) {
      commit_field(stream);
      stray_line(stream, line);
      return;
    }
    if (!stream.stray.empty()) {
      if (!istarts_with(name, "content-")) {
        stray_line(stream, line);
        return;
      }
      stream.stray.clear();
      stream.stray_bytes = 0;
    }
    commit_field(stream);
    if (colon > 0 && is_blank(text[colon - 1])) anomalies.add(Anomaly::odd_field);
    stream.in_field = true;
    stream.field = trim(text);
  }

  void body_line(Stream& stream, const Line& line) {
    if (line.starts && line.text.starts_with("--") && delimit(stream, line)) return;
    // A refused delimiter may have ended the parts.
    Level& level = *stream.levels.back();
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
        raw(stream, *stream.levels.back(), line.text);
        raw(stream, *stream.levels.back(), line.end);
        return;
    }
  }

  void note(const Line& line, bool outermost) {
    if (line.end == "\r") anomalies.add(Anomaly::bare_cr);
    if (line.end == "\n" && outermost) anomalies.add(Anomaly::bare_lf);
    if (!outermost) return;
    if (line.text.size() > kLongLine) anomalies.add(Anomaly::long_line);
    if (line.text.find('\0') != std::string_view::npos) anomalies.add(Anomaly::nul);
  }

  // The next line of the stream, if there is a whole one.
  bool take_line(Stream& stream) {
    const auto line = stream.cutter.next(stream.input);
    if (!line) return false;
    note(*line, stream.index == 0);
    process(stream, *line);
    return true;
  }

  // Works off the input of the streams from `first` on, the innermost first.
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

Walker::Walker(Visitor& visitor, Limits limits)
    : impl_(std::make_unique<Impl>(visitor, limits)) {}
Walker::~Walker() = default;

void Walker::field(std::string_view name, std::string_view value) {
  impl_->streams.front()->block.add(without_trailing_blanks(name),
                                    value.substr(0, impl_->limits.header_bytes));
}

void Walker::body(std::string_view chunk) {
  impl_->begin_body();
  Stream& message = *impl_->streams.front();
  message.input = chunk;
  impl_->drain(0);
}

void Walker::end() {
  impl_->begin_body();
  impl_->close_streams(0);
}

Anomalies Walker::anomalies() const {
  return impl_->anomalies;
}
std::size_t Walker::parts() const {
  return impl_->parts;
}

std::string Anomalies::str() const {
  static constexpr std::string_view kNames[] = {"duplicate-field",
                                                "duplicate-parameter",
                                                "malformed-type",
                                                "missing-boundary",
                                                "odd-boundary",
                                                "boundary-prefix",
                                                "missing-final-boundary",
                                                "no-parts",
                                                "part-after-end",
                                                "header-without-end",
                                                "odd-field",
                                                "unknown-encoding",
                                                "encoded-container",
                                                "bad-base64",
                                                "bad-quoted-printable",
                                                "bare-cr",
                                                "bare-lf",
                                                "nul",
                                                "long-line",
                                                "uuencoded",
                                                "partial-message",
                                                "bad-uuencoded",
                                                "too-deep",
                                                "too-many-parts",
                                                "header-too-big",
                                                "boundary-too-long"};
  std::string text;
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if ((bits_ & 1u << i) == 0) continue;
    if (!text.empty()) text += ',';
    text += kNames[i];
  }
  return text;
}

}  // namespace mxfeed::mime
