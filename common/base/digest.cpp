// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/digest.h"

#include <sodium.h>

#include "common/base/fault.h"

namespace mxfeed {

std::string digest(std::string_view bytes, std::size_t size) {
  // Picks the fastest code for the processor.
  [[maybe_unused]] static const int ready = sodium_init();
  std::string result(size, '\0');
  if (crypto_generichash(reinterpret_cast<unsigned char*>(result.data()), size,
                         reinterpret_cast<const unsigned char*>(bytes.data()),
                         bytes.size(), nullptr, 0) != 0) {
    throw Fault("make digest", std::to_string(size) + " bytes", "not between 1 and 64");
  }
  return result;
}

}  // namespace mxfeed
