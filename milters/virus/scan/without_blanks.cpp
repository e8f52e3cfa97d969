// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/without_blanks.h"

#include <array>
#include <cstdint>

#include "common/base/text.h"

#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

namespace mxfeed::virus {

// No branch for each character: the processor could not predict it.
std::size_t copy_without_blanks_plainly(std::string_view text, char* to) {
  std::size_t count = 0;
  for (const char c : text) {
    to[count] = c;
    count += is_space(c) ? 0 : 1;
  }
  return count;
}

#if defined(__x86_64__)
namespace {

// For each set of blanks among eight characters, the places of the others.
using Places = std::array<std::array<std::uint8_t, 8>, 256>;
constexpr Places kPlaces = [] {
  Places all{};
  for (unsigned blanks = 0; blanks < all.size(); ++blanks) {
    std::size_t kept = 0;
    for (std::uint8_t place = 0; place < 8; ++place) {
      if ((blanks >> place & 1) == 0) all[blanks][kept++] = place;
    }
  }
  return all;
}();

// Bit n is set if character n is white space.
__attribute__((target("ssse3"))) unsigned blanks_of(__m128i sixteen) {
  const auto are = [sixteen](char c) {
    return _mm_cmpeq_epi8(sixteen, _mm_set1_epi8(c));
  };
  const __m128i blanks =
      _mm_or_si128(_mm_or_si128(are(' '), are('\t')), _mm_or_si128(are('\r'), are('\n')));
  return static_cast<unsigned>(_mm_movemask_epi8(blanks));
}

__attribute__((target("ssse3,popcnt"))) char* put(__m128i eight, unsigned blanks,
                                                  char* to) {
  const __m128i places =
      _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kPlaces[blanks].data()));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_shuffle_epi8(eight, places));
  return to + 8 - __builtin_popcount(blanks);
}

__attribute__((target("ssse3,popcnt"))) std::size_t copy_by_sixteen(std::string_view text,
                                                                    char* to) {
  char* const begin = to;
  for (; text.size() >= 16; text.remove_prefix(16)) {
    const __m128i sixteen =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data()));
    const unsigned blanks = blanks_of(sixteen);
    to = put(sixteen, blanks & 0xff, to);
    to = put(_mm_srli_si128(sixteen, 8), blanks >> 8, to);
  }
  to += copy_without_blanks_plainly(text, to);
  return static_cast<std::size_t>(to - begin);
}

}  // namespace

std::size_t copy_without_blanks(std::string_view text, char* to) {
  static const bool can_shuffle =
      __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt");
  return can_shuffle ? copy_by_sixteen(text, to) : copy_without_blanks_plainly(text, to);
}
#else
std::size_t copy_without_blanks(std::string_view text, char* to) {
  return copy_without_blanks_plainly(text, to);
}
#endif

}  // namespace mxfeed::virus
