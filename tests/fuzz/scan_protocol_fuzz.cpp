// SPDX-License-Identifier: GPL-2.0-or-later
//
// Datagrams of the scan service: understood or refused; what was understood is bounded
// and is understood again.

#include "milters/virus/protocol/wire.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed::virus;
  using mxfeed::fuzz::require;
  const std::string_view bytes = mxfeed::fuzz::as_text(data, size);
  if (const auto request = decode_request(bytes)) {
    require(decode_request(encode(*request)) == request, "a request is kept");
    require(request->size <= kMaxMessage, "a request is bounded");
  }
  if (const auto result = decode_result(bytes)) {
    require(decode_result(encode(*result)) == result, "a result is kept");
    require(result->name.size() <= kMaxName, "a result is bounded");
    if (const auto& list = result->attachments) {
      require(list->suffixes.size() <= AttachmentList::kMostSuffixes, "so is the list");
      for (const auto& one : list->suffixes) {
        require(mxfeed::is_suffix(one), "a suffix has no other characters");
      }
    }
  }
  return 0;
}
