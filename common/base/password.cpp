// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/password.h"

#include <sodium/core.h>
#include <sodium/crypto_pwhash.h>
#include <sodium/randombytes.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/base/fault.h"

namespace mxfeed {

std::string random_password() {
  constexpr std::string_view kLetters = "abcdefghjkmnpqrstuvwxyz23456789";
  constexpr std::size_t kLength = 16, kGroup = 4;
  [[maybe_unused]] static const int ready = sodium_init();
  std::string password;
  for (std::size_t i = 0; i < kLength; ++i) {
    if (i > 0 && i % kGroup == 0) password += '-';
    password += kLetters[randombytes_uniform(std::uint32_t{kLetters.size()})];
  }
  return password;
}

std::string password_hash(std::string_view password) {
  [[maybe_unused]] static const int ready = sodium_init();
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  if (crypto_pwhash_str_alg(hash.data(), password.data(), password.size(),
                            crypto_pwhash_OPSLIMIT_INTERACTIVE,
                            crypto_pwhash_MEMLIMIT_INTERACTIVE,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw Fault("hash password", "64 MiB", "out of memory");
  }
  return std::string("{ARGON2ID}") + hash.data();
}

}  // namespace mxfeed
