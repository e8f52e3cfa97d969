// SPDX-License-Identifier: GPL-2.0-or-later
//
// The header of a 7z archive.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mxfeed::virus::seven_zip {

struct Coder {
  std::string id;  // in hexadecimal: "030101" is LZMA
  std::string_view properties;
  std::uint64_t inputs = 1, outputs = 1;
};

struct Folder {
  std::vector<Coder> coders;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> binds;  // input to output
  std::vector<std::uint64_t> packed_inputs;
  std::vector<std::uint64_t> sizes;  // unpacked, of each output
};

struct Streams {
  std::uint64_t position = 0;  // of the packed streams, behind the signature header
  std::vector<std::uint64_t> sizes;
  std::vector<Folder> folders;
};

struct ArchiveHeader {
  bool is_encoded = false;  // the streams hold the header itself
  bool is_valid = false;
  Streams streams;
};

// Views in the result point into `bytes`.
ArchiveHeader read_header(std::string_view bytes);

}  // namespace mxfeed::virus::seven_zip
