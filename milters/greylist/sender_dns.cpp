// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/sender_dns.h"

#include <utility>

namespace mxfeed::greylist {

void SenderDns::begin_spf() {
  end_ = std::chrono::steady_clock::now() + gateway_.greylist.spf_timeout;
  check_ = desk_.begin(envelope_, gateway_);
}

void SenderDns::need_spf() {
  if (spf_ || check_) return;
  begin_spf();
  if (!check_) spf_.emplace();
  identities_.reset();
}

const spf::Verdict& SenderDns::spf() {
  static const spf::Verdict kNone;
  if (!spf_ && check_) spf_ = desk_.end(*std::move(check_));
  check_.reset();
  return spf_ ? *spf_ : kNone;
}

const Identities& SenderDns::identities() {
  if (!identities_) {
    identities_ =
        identities_of(envelope_.client, envelope_.sender, spf(), gateway_.greylist);
  }
  return *identities_;
}

Listed SenderDns::find_listed(const DomainPolicy& domain) {
  if (!have_lists(domain.greylist, gateway_.greylist)) return {};
  if (!facts_) facts_ = SenderFacts::of(envelope_.client, envelope_.sender);
  return look_up(domain.greylist, gateway_.greylist, *facts_, [this] {
    need_spf();
    return confirms(spf(), facts_->domain);
  });
}

void SenderDns::begin_block_lists() {
  const auto& lists = gateway_.greylist.blocklists;
  if (asked_lists_ || block_list_ || lists.empty()) return;
  end_ = std::chrono::steady_clock::now() + gateway_.greylist.spf_timeout;
  asked_lists_ = block_lists_.ask(*envelope_.client.address, lists, end_);
}

bool SenderDns::is_block_listed() {
  if (asked_lists_) block_list_ = BlockLists::find(*std::move(asked_lists_), end_);
  asked_lists_.reset();
  return block_list_ && !block_list_->empty();
}

}  // namespace mxfeed::greylist
