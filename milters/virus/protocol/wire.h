// SPDX-License-Identifier: GPL-2.0-or-later
//
// The protocol between mxfeed-virus and mxfeed-scan.  A connection to the unix socket
// (SOCK_SEQPACKET) carries one request: one datagram with one descriptor (SCM_RIGHTS) of
// a memfd that holds the whole message and is sealed against every change.  The answer is
// one datagram; then the connection ends.  A connection that ends without an answer means
// that nothing is known about the message.
//
// A datagram consists of a mark of four bytes and of fields: a tag (1 byte), a length (2
// bytes, little endian) and that many bytes.  Unknown tags are skipped; missing ones have
// their default.
//
// Both ends check everything: the other process may be of another version or compromised.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "milters/virus/protocol/attachment_list.h"

namespace mxfeed::virus {

enum class ScanVerdict : std::uint8_t {
  clean,
  infected,     // name: the signature
  unscannable,  // name: the limit, "MaxRecursion", or "message/partial"
  encrypted,    // name: what could not be read, "Encrypted.Zip"
  error,        // name: the cause, for people; nothing is known about the message
};

// The source of an error.
enum class ScanFault : std::uint8_t {
  none,  // no error
  engine,
  temporary_space,
  message,  // the request did not contain a valid message
};

struct ScanResult {
  ScanVerdict verdict = ScanVerdict::error;
  std::string name;  // from a signature file or the engine: not to be trusted
  ScanFault fault = ScanFault::none;
  std::uint32_t parts_fed =
      0;  // parts that the engine had missed and that were scanned alone
  std::uint32_t signatures = 0;  // how many are loaded
  // Nothing if it was not asked for, with an infection, or from an earlier version.
  std::optional<AttachmentList> attachments = {};
  bool operator==(const ScanResult&) const = default;
};

struct ScanRequest {
  std::uint64_t size = 0;  // of the message in the memfd
  bool lists_attachments = false;
  bool operator==(const ScanRequest&) const = default;
};

// A larger message is not collected, and never scanned.
constexpr std::uint64_t kMaxMessage = 200ull << 20;
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxRequest = 512;
constexpr std::size_t kMaxResult = 8192;

// A longer name is cut.
std::string encode(const ScanRequest& request);
std::string encode(const ScanResult& result);
// Nothing for a malformed datagram, an unknown verdict, or a request without a size.  An
// unknown fault counts as one of the engine; unknown kinds of attachments are dropped.
std::optional<ScanRequest> decode_request(std::string_view datagram);
std::optional<ScanResult> decode_result(std::string_view datagram);

// "clean", "infected", ...: for logs, metrics and people.
std::string_view to_string(ScanVerdict verdict);

}  // namespace mxfeed::virus
