// SPDX-License-Identifier: GPL-2.0-or-later
//
// Datagrams of the scan service: understood or refused; and what was understood encodes
// to the same datagram.

#include "milters/virus/protocol/wire.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed::virus;
  using mxfeed::fuzz::require;
  const std::string_view bytes = mxfeed::fuzz::as_text(data, size);
  if (const auto request = decode_request(bytes)) {
    require(encode(*request) == bytes, "a request has one form");
    require(request->size <= kMaxMessage, "a request is bounded");
  }
  if (const auto result = decode_result(bytes)) {
    require(encode(*result) == bytes, "a result has one form");
    require(result->name.size() <= kMaxName, "a result is bounded");
  }
  return 0;
}
