// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/mail/mime/anomalies.h"

#include <iterator>
#include <string_view>

namespace mxfeed::mime {

std::string Anomalies::str() const {
  static constexpr std::string_view kNames[] = {"duplicate-field",
                                                "duplicate-parameter",
                                                "malformed-type",
                                                "missing-boundary",
                                                "odd-boundary",
                                                "boundary-prefix",
                                                "missing-final-boundary",
                                                "no-parts",
                                                "part-after-end",
                                                "header-without-end",
                                                "odd-field",
                                                "unknown-encoding",
                                                "encoded-container",
                                                "bad-base64",
                                                "bad-quoted-printable",
                                                "bare-cr",
                                                "bare-lf",
                                                "nul",
                                                "long-line",
                                                "uuencoded",
                                                "partial-message",
                                                "bad-uuencoded",
                                                "too-deep",
                                                "too-many-parts",
                                                "header-too-big",
                                                "boundary-too-long",
                                                "external-body",
                                                "inline-encoded",
                                                "expands-too-much"};
  std::string text;
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if ((bits_ & 1u << i) == 0) continue;
    if (!text.empty()) text += ',';
    text += kNames[i];
  }
  return text;
}

}  // namespace mxfeed::mime
