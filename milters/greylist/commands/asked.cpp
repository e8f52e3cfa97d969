// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/commands/asked.h"

#include <fmt/format.h>

#include <chrono>

#include "common/base/text.h"
#include "common/net/resolver.h"

namespace mxfeed::greylist {
namespace {

// As the daemon checks it; no result if it does not.
spf::Verdict check_spf(const Envelope& envelope, const GatewayPolicy::Greylist& gateway) {
  if (gateway.spf_timeout.count() == 0) return {};
  dns::Resolver resolver{{}};
  auto lookup = resolver.by(std::chrono::steady_clock::now() + gateway.spf_timeout);
  const spf::Session session{*envelope.client.address, envelope.helo, envelope.sender};
  return spf::check_mail_from(session, lookup);
}

}  // namespace

Question question_of(const Arguments& arguments) {
  const auto wrong = [&](std::size_t operand, std::string_view name,
                         std::string_view what) {
    return CommandError(
        ExitCode::usage,
        fmt::format("{}: \"{}\" is not {}", name,
                    escape_untrusted(arguments.operands()[operand]), what));
  };
  Question question;
  question.envelope.client = {IpAddress::parse(arguments.operands()[0]),
                              arguments.text("--name").value_or("")};
  if (!question.envelope.client.address) throw wrong(0, "IP", "an IP address");
  question.envelope.helo = arguments.text("--helo").value_or("");
  const auto sender = Path::parse(arguments.operands()[1]);
  if (!sender) throw wrong(1, "FROM", "an address");
  question.envelope.sender = sender->str();
  question.recipient = Recipient::parse(arguments.operands()[2]);
  if (question.recipient.local_part.empty() || question.recipient.domain.empty()) {
    throw wrong(2, "TO", "an address with a domain");
  }
  return question;
}

Asked asked_of(const Question& question, const GatewayPolicy::Greylist& gateway,
               const DomainPolicy& domain) {
  const auto& [envelope, recipient] = question;
  Asked asked;
  asked.spf = check_spf(envelope, gateway);
  asked.who = identities_of(envelope.client, envelope.sender, asked.spf, gateway);
  asked.keys = keys_of(asked.who, envelope.sender, recipient, domain.name);
  asked.terms = terms_for(asked.who, domain.greylist);
  return asked;
}

}  // namespace mxfeed::greylist
