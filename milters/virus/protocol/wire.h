// SPDX-License-Identifier: GPL-2.0-or-later
//
// What mxfeed-virus and mxfeed-scan say to each other.  A connection to the unix socket
// (SOCK_SEQPACKET) carries one request: one datagram with one descriptor (SCM_RIGHTS) of
// a memfd that holds the whole message and is sealed against every change.  The answer
// is one datagram; then the connection ends.  A connection that ends without an answer
// means that nothing is known about the message.
//
// A datagram is a mark of four bytes and fields: a tag (1 byte), a length (2 bytes,
// little endian) and so many bytes.  Unknown tags are skipped, missing ones have their
// default.
//
// Both ends check everything: they are separate processes, either may be of another
// version or broken.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mxfeed::virus {

enum class ScanVerdict : std::uint8_t {
  clean,
  infected,     // name: the signature
  unscannable,  // name: the limit, "MaxRecursion"; or what cannot be put together
  encrypted,    // name: what could not be looked into, "Encrypted.Zip"
  error,        // name: the cause, for people; nothing is known about the message
};

// What an error lies in.
enum class ScanFault : std::uint8_t {
  none,  // no error
  engine,
  temporary_space,
  message,  // not as a request must bring it
};

struct ScanResult {
  ScanVerdict verdict = ScanVerdict::error;
  std::string name;  // from a signature file or the engine: not to be trusted
  ScanFault fault = ScanFault::none;
  std::uint32_t parts_fed = 0;   // parts that the engine had missed and was given again
  std::uint32_t signatures = 0;  // how many are loaded
  bool operator==(const ScanResult&) const = default;
};

struct ScanRequest {
  std::uint64_t size = 0;  // of the message in the memfd
  bool operator==(const ScanRequest&) const = default;
};

// A message of more bytes is not collected, so never scanned.
constexpr std::uint64_t kMaxMessage = 200ull << 20;
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxDatagram = 512;  // of either direction

// A longer name is cut.
std::string encode(const ScanRequest& request);
std::string encode(const ScanResult& result);
// Nothing for a malformed datagram, an unknown verdict, or a request without a size.  An
// unknown fault is one of the engine.
std::optional<ScanRequest> decode_request(std::string_view datagram);
std::optional<ScanResult> decode_result(std::string_view datagram);

// "clean", "infected", ...: for logs, metrics and people.
std::string_view to_string(ScanVerdict verdict);

}  // namespace mxfeed::virus
