// SPDX-License-Identifier: GPL-2.0-or-later
//
// Values of policy.cdb, damaged ones included: decoded or refused, never worse; and what
// was decoded encodes to a value that decodes to the same.

#include <string>

#include "common/policy/domain_policy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  using fuzz::require;
  const std::string_view bytes = fuzz::as_text(data, size);
  if (const auto policy = decode_domain_policy(bytes)) {
    const std::string encoded = encode(*policy);
    const auto again = decode_domain_policy(encoded);
    // Compared as bytes: a probability may be NaN.
    require(again && encode(*again) == encoded, "a domain's policy decodes to itself");
  }
  if (const auto policy = decode_gateway_policy(bytes)) {
    const std::string encoded = encode(*policy);
    const auto again = decode_gateway_policy(encoded);
    require(again && encode(*again) == encoded, "a gateway's policy decodes to itself");
  }
  return 0;
}
