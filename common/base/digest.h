// SPDX-License-Identifier: GPL-2.0-or-later
//
// Digests: a short, practically unique name for any sequence of bytes.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace mxfeed {

// The BLAKE2b digest (RFC 7693), `size` (1 to 64) bytes long; the same on every machine.
// Thread-safe.
std::string digest(std::string_view bytes, std::size_t size);

// The same for bytes that come in pieces.
class Digester {
 public:
  explicit Digester(std::size_t size);
  ~Digester();
  Digester(Digester&&) noexcept;
  Digester& operator=(Digester&&) noexcept;

  void add(std::string_view bytes);
  std::string finish() &&;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxfeed
