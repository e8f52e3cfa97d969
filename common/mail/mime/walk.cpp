// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/walk.h"

#include <utility>

namespace mxfeed::mime {
namespace {

// Each line that begins with "--" is compared with all boundaries of the open parts.
constexpr std::size_t kMaxOpenBoundaries = 256;

}  // namespace

void Walk::add_stream(std::size_t depth) {
  streams_.push_back(std::make_unique<Stream>(streams_.size(), depth, limits_, notes()));
  streams_.back()->header.begin("text/plain", streams_.size() > 1);
}

void Walk::content(Stream& stream, Level& level, std::string_view bytes) {
  if (level.look) {
    const MessageLook::Answer answer = level.look->read(bytes);
    if (answer != MessageLook::Answer::unknown) {
      end_look(stream, level, answer == MessageLook::Answer::message);
    }
    return;
  }
  if (level.feeds != Level::Feeds::nothing) {
    walked_ += bytes.size();
    streams_[stream.index + 1]->append(bytes);
  }
  if (level.feeds == Level::Feeds::stream_only) return;
  if (level.text) {
    level.text->read(bytes);
  } else {
    output_.give(level.part, bytes);
  }
}

void Walk::end_look(Stream& stream, Level& level, bool is_message) {
  const std::string held = level.look->take();
  level.look.reset();
  if (is_message) open_message(level);
  if (!held.empty()) content(stream, level, held);
}

void Walk::open_message(Level& level) {
  if (streams_.size() > limits_.encoded_depth || level.part.depth >= limits_.depth) {
    note(Anomaly::too_deep);
    return;
  }
  level.text.reset();
  level.part.is_message = true;
  level.feeds = Level::Feeds::stream_too;
  add_stream(level.part.depth + 1);
}

void Walk::raw(Stream& stream, Level& level, std::string_view bytes) {
  if (bytes.empty()) return;
  if (level.part.kind == Part::Kind::opaque ||
      (level.part.kind == Part::Kind::multipart &&
       level.feeds == Level::Feeds::nothing) ||
      level.part.encoding == Encoding::none) {
    content(stream, level, bytes);
    return;
  }
  decoded_.clear();
  level.decoder.decode(bytes, decoded_, notes());
  content(stream, level, decoded_);
}

void Walk::finish_decoder(Stream& stream, Level& level) {
  decoded_.clear();
  level.decoder.finish(decoded_, notes());
  if (!decoded_.empty()) content(stream, level, decoded_);
}

void Walk::end_level(Stream& stream) {
  Level& level = stream.innermost();
  if (level.look) end_look(stream, level, false);
  finish_decoder(stream, level);
  if (level.text) level.text->finish();
  if (level.multipart) {
    level.multipart->finish(notes());
    boundaries_ -= level.multipart->boundaries();
  }
  output_.end(level.part);
  stream.levels.pop_back();
}

void Walk::end_levels(Stream& stream, std::size_t keep) {
  if (keep < stream.levels.size() && streams_.size() > stream.index + 1) {
    finish_decoder(stream, stream.innermost());
    close_streams(stream.index + 1);
  }
  while (stream.levels.size() > keep) end_level(stream);
}

void Walk::close_streams(std::size_t keep) {
  for (std::size_t i = keep; i < streams_.size(); ++i) finish_input(*streams_[i]);
  while (streams_.size() > keep) {
    Stream& last = *streams_.back();
    if (!last.levels.empty()) last.innermost().part.has_no_end = true;
    while (!last.levels.empty()) end_level(last);
    streams_.pop_back();
    if (!streams_.empty()) streams_.back()->innermost().feeds = Level::Feeds::nothing;
  }
}

void Walk::finish_input(Stream& stream) {
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

void Walk::open_opaque(Stream& stream, Anomaly why) {
  note(why);
  end_levels(stream, 0);
  Description rest;
  rest.part.kind = Part::Kind::opaque;
  rest.part.type = "application/octet-stream";
  rest.part.depth = stream.base_depth;
  stream.levels.push_back(std::make_unique<Level>(std::move(rest)));
  stream.held_end.clear();
  stream.state = Stream::State::opaque;
  output_.begin(stream.innermost().part);
}

std::optional<Anomaly> Walk::limit_passed(const Stream& stream,
                                          const Description& found) const {
  if (stream.next_depth() > limits_.depth ||
      (found.decodes && streams_.size() > limits_.encoded_depth)) {
    return Anomaly::too_deep;
  }
  if (output_.is_full()) return Anomaly::too_many_parts;
  for (const std::string& boundary : found.boundaries) {
    if (boundary.size() > limits_.boundary) return Anomaly::boundary_too_long;
  }
  return std::nullopt;
}

void Walk::begin_part(Stream& stream) {
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

void Walk::push_part(Stream& stream, Description found) {
  if (found.part.kind == Part::Kind::message && !limits_.opens_messages) {
    found.part.kind = Part::Kind::leaf;
    found.decodes = false;
  }
  found.part.depth = stream.next_depth();
  const Part::Kind kind = found.part.kind;
  const bool is_file = found.is_file || !limits_.opens_messages;
  const bool decodes = found.decodes;
  const bool divides = kind == Part::Kind::multipart && !decodes;
  std::vector<std::string> dividers = std::move(found.boundaries);
  const unsigned first = found.first_boundary;
  stream.levels.push_back(std::make_unique<Level>(std::move(found)));
  Level& level = stream.innermost();
  if (divides) divide(level, std::move(dividers), first);
  if (divides || (kind == Part::Kind::leaf && TextContent::may_hold_files(level.part))) {
    level.text.emplace(level.part, output_);
  }
  stream.state = kind == Part::Kind::message && !decodes ? Stream::State::header
                                                         : Stream::State::body;
  if (stream.state == Stream::State::header) stream.header.begin("text/plain", true);
  output_.begin(level.part);
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

void Walk::divide(Level& level, std::vector<std::string> dividers, unsigned first) {
  if (boundaries_ + dividers.size() > kMaxOpenBoundaries) {
    notes().ambiguities.add_too_many();
    dividers.resize(1);
  }
  boundaries_ += dividers.size();
  level.multipart.emplace(std::move(dividers), first);
}

void Walk::begin_encoded_multipart(Stream& stream, Description found) {
  Description inner = found;
  inner.part.encoding = Encoding::none;
  inner.decodes = false;
  push_part(stream, std::move(found));
  push_part(*streams_.back(), std::move(inner));
}

void Walk::begin_with_stray(Stream& stream) {
  const std::vector<std::string> lines = stream.header.take_stray();
  begin_part(stream);
  for (const std::string& line : lines) process(stream, whole_line(line));
}

}  // namespace mxfeed::mime
