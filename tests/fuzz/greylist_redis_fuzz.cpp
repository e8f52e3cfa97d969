// SPDX-License-Identifier: GPL-2.0-or-later
//
// A value of the greylist in Redis, and what a decision makes of it.

#include <chrono>

#include "milters/greylist/decision.h"
#include "milters/greylist/stores/redis_value.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  using namespace mxfeed::greylist;
  using fuzz::require;
  const auto value = fuzz::as_text(data, size);
  const auto stored = decode_record(value);
  if (!stored) return 0;
  require(stored->key.identity.text.size() + stored->key.domain.size() < size,
          "its texts stand in the value");
  const auto again = decode_record(encode_record(stored->key, stored->record));
  require(again.has_value() && again->record == stored->record &&
              again->key.identity == stored->key.identity &&
              again->key.domain == stored->key.domain &&
              again->key.about == stored->key.about &&
              again->key.is_second == stored->key.is_second,
          "what is written is read");
  constexpr Time kNow{std::chrono::seconds(1'800'000'000)};
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    for (const bool is_verified : {false, true}) {
      const auto look = [&](Slot asked) {
        return static_cast<std::size_t>(asked) == slot ? std::optional(stored->record)
                                                       : std::nullopt;
      };
      Terms terms;
      terms.is_verified = is_verified;
      terms.has_provider = is_verified;
      const Decision decision = decide(look, kNow, terms);
      require(decision.wait.count() >= 0 && decision.wait <= terms.delay,
              "nobody waits longer than the delay");
      static_cast<void>(follow(look, kNow, terms, true));
      static_cast<void>(follow(look, kNow, terms, false));
    }
  }
  return 0;
}
