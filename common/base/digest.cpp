// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/digest.h"

#include <sodium.h>

#include <utility>

#include "common/base/fault.h"

namespace mxfeed {

struct Digester::Impl {
  crypto_generichash_state state;
  std::size_t size;
};

Digester::Digester(std::size_t size) : impl_(std::make_unique<Impl>()) {
  // Picks the fastest code for the processor.
  [[maybe_unused]] static const int ready = sodium_init();
  impl_->size = size;
  if (size == 0 || crypto_generichash_init(&impl_->state, nullptr, 0, size) != 0) {
    throw Fault("make digest", std::to_string(size) + " bytes", "not between 1 and 64");
  }
}
Digester::~Digester() = default;
Digester::Digester(Digester&&) noexcept = default;
Digester& Digester::operator=(Digester&&) noexcept = default;

void Digester::add(std::string_view bytes) {
  crypto_generichash_update(
      &impl_->state, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::string Digester::finish() && {
  std::string result(impl_->size, '\0');
  crypto_generichash_final(&impl_->state, reinterpret_cast<unsigned char*>(result.data()),
                           result.size());
  return result;
}

std::string digest(std::string_view bytes, std::size_t size) {
  Digester digester(size);
  digester.add(bytes);
  return std::move(digester).finish();
}

}  // namespace mxfeed
