// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/authentication.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "common/mail/tag_list.h"
#include "common/net/organisation.h"
#include "milters/spam/evidence/table.h"

namespace mxfeed::spam {
namespace {

constexpr std::size_t kMostFields = 50;  // RFC 8617, 4.2.1: seals
constexpr std::size_t kMostSigners = 20;

// What verifiers put on top, besides their results.
bool is_of_verifier(std::string_view name) {
  for (const char* const one : {"DKIM-Filter", "DMARC-Filter", "Received-SPF"}) {
    if (iequals(name, one)) return true;
  }
  for (const char* const begin : {"X-Spam", "X-Rspamd", "X-Virus", "X-Mxfeed-"}) {
    if (istarts_with(name, begin)) return true;
  }
  return false;
}

DmarcWish parse_wish(std::string_view word) {
  if (iequals(word, "reject")) return DmarcWish::reject;
  if (iequals(word, "quarantine")) return DmarcWish::quarantine;
  return DmarcWish::nothing;
}

// opendmarc writes "(p=reject dis=none)", rspamd "(policy=reject)", others a property.
DmarcWish wish_of(const MethodResult& result) {
  for (const char* const name : {"policy.dmarc", "policy.published-domain-policy"}) {
    const std::string_view value = result.property(name);
    if (!value.empty()) return parse_wish(value);
  }
  std::string word;
  for (const char c : result.comments + ' ') {
    if (!is_space(c) && c != ',' && c != ';') {
      word += ascii_lower(c);
      continue;
    }
    for (const char* const key : {"p=", "policy="}) {
      if (word.starts_with(key)) {
        return parse_wish(std::string_view(word).substr(std::string_view(key).size()));
      }
    }
    word.clear();
  }
  return DmarcWish::nothing;
}

// The domain that signed: header.d, else the one in header.i.
std::string signer_of(const MethodResult& result) {
  const std::string_view domain = result.property("header.d");
  if (!domain.empty()) return ascii_lower(domain);
  const std::string_view identity = result.property("header.i");
  const std::size_t at = identity.rfind('@');
  return at == identity.npos ? "" : ascii_lower(identity.substr(at + 1));
}

bool is_same_organisation(std::string_view a, std::string_view b) {
  return !a.empty() && !b.empty() && organisation_of(a) == organisation_of(b);
}

void take_dkim(const MethodResult& result, Authentication& authentication) {
  authentication.reports_dkim = true;
  if (result.result == "pass") {
    std::string signer = signer_of(result);
    if (!signer.empty() && authentication.signers.size() < kMostSigners) {
      authentication.signers.push_back(std::move(signer));
    }
  } else if (result.result == "fail") {
    authentication.has_bad_signature = true;
  }
}

// Nothing if the field has no number of that name; 0 is none.
std::uint64_t instance_of(std::string_view value) {
  return parse_unsigned(tag_value(value, "i").value_or("")).value_or(0);
}

}  // namespace

bool Authentication::confirms(std::string_view domain) const {
  if (passes_dmarc() && is_same_organisation(author, domain)) return true;
  return std::any_of(signers.begin(), signers.end(), [&](const std::string& signer) {
    return is_same_organisation(signer, domain);
  });
}

std::string Authentication::str() const {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!text.empty()) text += ' ';
    text += fmt::format("{}={}", name, value);
  };
  for (const std::string& signer : signers) add("dkim", signer);
  if (signers.empty() && reports_dkim) add("dkim", has_bad_signature ? "fail" : "none");
  if (!dmarc.empty()) add("dmarc", dmarc);
  if (!sealer.empty()) add("arc", sealer);
  return text;
}

void VerifierFields::field(std::string_view name, std::string_view value) {
  if (spam_.authserv_id.empty()) return;
  name = trim(name);
  if (iequals(name, kAuthenticationResults)) return see_results(value);
  if (!is_of_verifier(name)) below_ = true;
  if (iequals(name, "ARC-Seal") && seals_.size() < kMostFields) {
    seals_.emplace_back(value);
  } else if (iequals(name, "ARC-Authentication-Results") &&
             sealed_.size() < kMostFields) {
    sealed_.emplace_back(value);
  }
}

void VerifierFields::see_results(std::string_view value) {
  ++count_;
  const auto all = AuthenticationResults::parse(value);
  // Results of others say nothing, and are left as they are.
  if (!all || !iequals(all->server, spam_.authserv_id)) {
    return;
  }
  std::set<std::string> now;
  if (!below_) {
    const auto& reported = spam_.authserv_results;
    for (const MethodResult& result : all->results) {
      if (std::find(reported.begin(), reported.end(), result.method) == reported.end() ||
          methods_.contains(result.method)) {
        continue;
      }
      now.insert(result.method);
      found_.push_back(result);
    }
  }
  const bool is_empty = all->results.empty() && !below_;
  if (now.empty() && !is_empty) forged_.push_back(count_);
  methods_.merge(now);
}

// Who sealed last, if he is trusted, and what he had found.
std::string VerifierFields::trusted_sealer(std::string_view& sealed) const {
  const auto of_last = std::max_element(seals_.begin(), seals_.end(),
                                        [](const std::string& a, const std::string& b) {
                                          return instance_of(a) < instance_of(b);
                                        });
  if (of_last == seals_.end()) return {};
  std::string sealer = ascii_lower(tag_value(*of_last, "d").value_or(""));
  const auto& trusted = spam_.arc_sealers;
  if (std::find(trusted.begin(), trusted.end(), sealer) == trusted.end()) return {};
  for (const std::string& one : sealed_) {
    if (instance_of(one) != instance_of(*of_last)) continue;
    sealed = std::string_view(one).substr(std::min(one.find(';') + 1, one.size()));
    return sealer;
  }
  return {};
}

Authentication VerifierFields::result() const {
  Authentication authentication;
  authentication.has_verifier = !spam_.authserv_id.empty();
  bool has_valid_chain = false;
  for (const MethodResult& result : found_) {
    if (result.method == "dkim") {
      take_dkim(result, authentication);
    } else if (result.method == "dmarc" && authentication.dmarc.empty()) {
      authentication.dmarc = result.result;
      authentication.author = ascii_lower(result.property("header.from"));
      authentication.wish = wish_of(result);
    } else if (result.method == "arc") {
      has_valid_chain = result.result == "pass";
    }
  }
  if (!authentication.signers.empty()) authentication.has_bad_signature = false;
  if (!has_valid_chain || authentication.dmarc == "pass") return authentication;
  std::string_view sealed;
  const std::string sealer = trusted_sealer(sealed);
  const auto before = AuthenticationResults::parse(sealed);
  if (sealer.empty() || !before) return authentication;
  for (const MethodResult& result : before->results) {
    if (result.method != "dmarc" || result.result != "pass") continue;
    const std::string author = ascii_lower(result.property("header.from"));
    if (!authentication.author.empty() && author != authentication.author) continue;
    authentication.author = author;
    authentication.sealer = sealer;
  }
  return authentication;
}

std::size_t VerifierFields::remove_forged(MessageEdits& edits) const {
  for (auto index = forged_.rbegin(); index != forged_.rend(); ++index) {
    edits.remove(kAuthenticationResults, *index);
  }
  return forged_.size();
}

std::vector<Evidence> evidence_of(const Authentication& authentication,
                                  std::optional<spf::Result> spf) {
  std::vector<Evidence> found;
  if (authentication.passes_dmarc()) {
    found.push_back(evidence("dmarc-pass"));
    return found;
  }
  if (authentication.dmarc == "fail") {
    switch (authentication.wish) {
      case DmarcWish::nothing:
        found.push_back(evidence("dmarc-fail"));
        break;
      case DmarcWish::quarantine:
        found.push_back(evidence("dmarc-fail-quarantine"));
        break;
      case DmarcWish::reject:
        found.push_back(evidence("dmarc-fail-reject"));
        break;
    }
  }
  if (authentication.has_bad_signature) found.push_back(evidence("dkim-fail"));
  if (spf == spf::Result::fail) found.push_back(evidence("spf-fail"));
  const bool is_signed = !authentication.signers.empty();
  if (authentication.reports_dkim && !is_signed && spf && spf != spf::Result::pass &&
      spf != spf::Result::temperror) {
    found.push_back(evidence("unauthenticated"));
  }
  return found;
}

}  // namespace mxfeed::spam
