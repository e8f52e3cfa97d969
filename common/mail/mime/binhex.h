// SPDX-License-Identifier: GPL-2.0-or-later
//
// BinHex 4.0 (RFC 1741, appendix A), line by line; for the walk of walker.h only.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/mail/mime/inline_file.h"

namespace mxfeed::mime {

// Whether the line begins the encoding: a colon, then characters of the alphabet only. If
// it was not announced, there must be many.
bool is_binhex_begin(std::string_view line, bool announced);

// Gives the data fork and the resource fork as files of the same name; empty ones are
// left out.  Runs of one byte are compressed, so a file may be 60 times as long as its
// encoding.
class BinHexFile : public InlineFile {
 public:
  Step read(const Line& line, FileSink& sink) override;
  bool finish(FileSink& sink) override;
  bool expands() const override { return true; }

 private:
  enum class State { before, name_length, name, header, data, data_crc, resource, rest };

  void packed_byte(unsigned char byte, FileSink& sink);
  void byte(unsigned char byte, FileSink& sink);
  void repeated(unsigned char byte, std::size_t count, FileSink& sink);
  void open_fork(State fork, std::uint32_t length, FileSink& sink);
  void close_fork(FileSink& sink);
  void flush(FileSink& sink);

  State state_ = State::before;
  std::uint32_t group_ = 0;
  unsigned bits_ = 0;
  unsigned char last_ = 0;
  bool marked_ = false;  // the last byte was the mark of a run
  std::size_t name_length_ = 0;
  std::string name_;
  std::string header_;
  std::uint32_t resource_length_ = 0;
  std::uint32_t left_ = 0;  // of the fork or the CRC
  bool open_ = false;
  std::string held_;  // of the fork
};

}  // namespace mxfeed::mime
