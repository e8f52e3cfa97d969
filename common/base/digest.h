// SPDX-License-Identifier: GPL-2.0-or-later
//
// A short name for any bytes, as good as unique.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace mxfeed {

// BLAKE2b (RFC 7693) of 1 to 64 bytes; the same on every machine.  Thread-safe.
std::string digest(std::string_view bytes, std::size_t size);

// The same of bytes that come in pieces.
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
