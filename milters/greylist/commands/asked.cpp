// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/commands/asked.h"

#include <fmt/format.h>

#include <chrono>

#include "common/base/text.h"
#include "common/net/resolver.h"
#include "milters/greylist/block_lists.h"

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

const spf::Verdict& Asking::spf() {
  if (!spf_) spf_ = check_spf(question_.envelope, gateway_);
  return *spf_;
}

Listed Asking::listed(const DomainPolicy& domain) {
  const Envelope& envelope = question_.envelope;
  const auto facts = SenderFacts::of(envelope.client, envelope.sender);
  return look_up(domain.greylist, gateway_, facts,
                 [&] { return confirms(spf(), facts.domain); });
}

std::string Asking::block_list(const DomainPolicy& domain) const {
  if (domain.greylist.when != GreylistWhen::suspicious) return {};
  dns::Resolver resolver{{}};
  BlockLists lists([&](const dns::Question& question, BlockLists::Instant deadline) {
    return resolver.ask_async(question, deadline);
  });
  const auto deadline = std::chrono::steady_clock::now() + gateway_.spf_timeout;
  return BlockLists::find(
      lists.ask(*question_.envelope.client.address, gateway_.blocklists, deadline),
      deadline);
}

Asked Asking::asked(const DomainPolicy& domain) {
  const auto& [envelope, recipient] = question_;
  Asked asked;
  asked.spf = spf();
  asked.who = identities_of(envelope.client, envelope.sender, asked.spf, gateway_);
  asked.keys = keys_of(asked.who, envelope.sender, recipient, domain.name);
  asked.terms = terms_for(asked.who, domain.greylist);
  return asked;
}

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

}  // namespace mxfeed::greylist
