// SPDX-License-Identifier: GPL-2.0-or-later
//
// The walk of a Walker (walker.h): takes the lines of the streams, begins and ends their
// parts, and passes their content on.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/mime/output.h"
#include "common/mail/mime/stream.h"
#include "common/mail/mime/walker.h"

namespace mxfeed::mime {

class Walk {
 public:
  Walk(Visitor& visitor, Limits most, const Reading& reading)
      : limits_(most), output_(visitor, limits_, reading) {
    add_stream(0);
  }

  void field(std::string_view name, std::string_view value);
  void body(std::string_view chunk);
  void end();

  Notes& notes() { return output_.notes(); }
  std::uint64_t bytes() const { return walked_ + output_.expanded(); }
  std::size_t parts() const { return output_.parts(); }

 private:
  void note(Anomaly anomaly) { notes().add(anomaly); }
  void add_stream(std::size_t depth);

  // --- Content of a part ---
  // Takes decoded bytes.
  void content(Stream& stream, Level& level, std::string_view bytes);
  // It is known what the leaf is: what was held back goes on its way.
  void end_look(Stream& stream, Level& level, bool is_message);
  // The content of the leaf is walked through as a message, too.
  void open_message(Level& level);
  void raw(Stream& stream, Level& level, std::string_view bytes);
  // What the decoder holds back.
  void finish_decoder(Stream& stream, Level& level);

  // --- Parts ---
  // Ends the innermost part of the stream; all streams above it have ended.
  void end_level(Stream& stream);
  // Ends the parts from level `keep` on, and the streams in them.  Only the innermost
  // part of a stream can feed another one.
  void end_levels(Stream& stream, std::size_t keep);
  // Ends the streams from `keep` on.  Their input is finished outermost first: what one
  // still holds goes to the next one.  Each nested call is for a higher stream, so the
  // recursion ends.
  void close_streams(std::size_t keep);
  // No more bytes will come: processes what is held back.
  void finish_input(Stream& stream);
  // Makes the rest of the stream one opaque part.
  void open_opaque(Stream& stream, Anomaly why);
  // The limit that the part would exceed.
  std::optional<Anomaly> limit_passed(const Stream& stream,
                                      const Description& found) const;
  // The header has ended.
  void begin_part(Stream& stream);
  void push_part(Stream& stream, Description found);
  void divide(Level& level, std::vector<std::string> dividers, unsigned first);
  // The encoded multipart holds one that is not encoded, in a stream of its own.
  void begin_encoded_multipart(Stream& stream, Description found);
  // The header has ended; its stray lines become the first lines of the body.
  void begin_with_stray(Stream& stream);

  // --- Lines ---
  // A preamble or epilogue ends, if the stream is in one.
  void end_outside(Stream& stream);
  // Whether the line, which begins with "--", is a delimiter; if so, it has been
  // processed.
  bool delimit(Stream& stream, const Line& line);
  void header_line(Stream& stream, const Line& line);
  // A delimiter with blanks or more dashes before it is one for some programs.
  bool delimit_loosely(Stream& stream, const Line& line);
  // Whether the line of a preamble, epilogue or text begins a part; if so, it has been
  // processed.
  bool begin_outside(Stream& stream, const Line& line);
  void body_line(Stream& stream, const Line& line);
  void process(Stream& stream, const Line& line);
  void note_line(const Line& line, bool outermost);
  // The next line of the stream, if there is a whole one.
  bool take_line(Stream& stream);
  // Processes the input of the streams from `first` on, the innermost first.
  void drain(std::size_t first);
  void begin_body();

  const Limits limits_;
  Output output_;
  std::vector<std::unique_ptr<Stream>> streams_;  // the message, then what is inside
  bool begun_ = false;                            // the message's header has ended
  std::string decoded_;
  std::size_t boundaries_ = 0;  // of the open parts
  std::uint64_t walked_ = 0;
};

}  // namespace mxfeed::mime
