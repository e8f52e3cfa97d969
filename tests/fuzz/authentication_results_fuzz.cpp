// SPDX-License-Identifier: GPL-2.0-or-later
//
// Authentication-Results of strangers, and a header of which each line is a field.

#include "common/mail/authentication_results.h"

#include "common/base/text.h"
#include "common/mail/edits.h"
#include "milters/spam/authentication.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mxfeed;
  const std::string_view text = fuzz::as_text(data, size);
  if (const auto all = AuthenticationResults::parse(text)) {
    fuzz::require(!all->server.empty(), "results have a server");
    fuzz::require(all->results.size() <= AuthenticationResults::kMostResults, "a bound");
    for (const MethodResult& result : all->results) {
      fuzz::require(!result.method.empty() && !result.result.empty(), "no empty words");
      fuzz::require(result.properties.size() <= AuthenticationResults::kMostProperties,
                    "a bound");
    }
  }

  GatewayPolicy::Spam spam;
  spam.authserv_id = "mx";
  spam.authserv_results = {"dkim", "dmarc", "arc"};
  spam.arc_sealers = {"s"};
  spam::VerifierFields fields(spam);
  std::size_t claims = 0;
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos) continue;
    fields.field(line.substr(0, colon), line.substr(colon + 1));
    ++claims;
  }
  MessageEdits edits;
  fuzz::require(fields.remove_forged(edits) <= claims, "no more than there are");
  const spam::Authentication found = fields.result();
  static_cast<void>(found.str());
  static_cast<void>(found.confirms("s"));
  for (const spam::Evidence& one : evidence_of(found, spf::Result::fail)) {
    fuzz::require(one.group == spam::Group::authentication, "evidence of its group");
  }
  return 0;
}
