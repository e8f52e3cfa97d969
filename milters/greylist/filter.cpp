// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/greylist/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/metrics.h"
#include "common/base/text.h"
#include "milters/greylist/exemption.h"
#include "milters/greylist/key.h"
#include "milters/greylist/lists.h"
#include "milters/greylist/sender_dns.h"

namespace mxfeed::greylist {
namespace {

constexpr std::chrono::hours kFloodWindow{1};

Metric& recipients(std::string_view outcome) {
  return counter("mxfeed_greylist_recipients_total",
                 fmt::format(R"(outcome="{}")", outcome));
}

void count(std::string_view outcome) {
  recipients(outcome).add();
}

// By outcome.
constexpr std::array<std::string_view, 6> kReasons = {
    "greylist-first-seen", "greylist-too-early", "greylist-flood",
    "greylist-passed",     "greylist-known",     "greylist-known-identity"};

std::string_view reason_of(Outcome outcome) {
  return kReasons.at(static_cast<std::size_t>(outcome));
}

void count(Outcome outcome) {
  static const std::vector<Metric*> metrics = [] {
    std::vector<Metric*> made;
    for (const auto reason : kReasons) {
      made.push_back(&recipients(reason.substr(std::string_view("greylist-").size())));
    }
    return made;
  }();
  metrics[static_cast<std::size_t>(outcome)]->add();
}

Metric& trapped() {
  static Metric& metric = counter("mxfeed_greylist_trapped_total");
  return metric;
}

// RFC 3463, 3.2: bad destination mailbox address.
constexpr std::string_view kNoSuchMailbox = "5.1.1";

void count_wait(IdentityKind kind, std::chrono::seconds waited) {
  const std::string labels = fmt::format(R"(identity="{}")", to_string(kind));
  counter("mxfeed_greylist_passed_total", labels).add();
  counter("mxfeed_greylist_waited_seconds_total", labels)
      .add(static_cast<std::uint64_t>(waited.count()));
}

class GreylistFilter : public Filter {
 public:
  GreylistFilter(GreylistMilter& milter, const Envelope& envelope)
      : milter_(milter),
        envelope_(envelope),
        policy_(milter.policy()),
        dns_(milter.dns(), milter.block_lists(), envelope, policy_->gateway()) {
    if (!policy_->gateway().trust(envelope).empty()) return;
    // Of the null sender's scope only the recipient tells.
    if (!envelope.sender.empty() &&
        milter.is_known(envelope.client, scope_of({}, envelope.sender, {}))) {
      return;
    }
    dns_.begin_spf();
  }

  Verdict on_recipient(const Recipient& recipient) override {
    forget_last();
    const auto domain = policy_->find_own(recipient.domain);
    if (const auto reason = find_exemption(recipient, domain)) {
      count("exempt");
      has_exempt_ = true;
      return Verdict::proceed(*reason);
    }
    note_trap(recipient, *domain);
    if (!envelope_.sender.empty()) return judge(recipient, *domain);
    at_data_.push_back({recipient, *domain, listed_});
    return Verdict::proceed();
  }

  Verdict on_data() override {
    // There is one answer for all.
    if (has_exempt_) return Verdict::proceed();
    std::optional<Verdict> verdict;
    for (const auto& [recipient, domain, listed] : at_data_) {
      listed_ = listed;
      Verdict one = judge(recipient, domain);
      if (!verdict || verdict->action() == Action::proceed) verdict = std::move(one);
    }
    return verdict ? *std::move(verdict) : Verdict::proceed();
  }

  // A sender that Postfix has deferred need not wait again for us.
  Verdict on_refused(const Recipient& recipient, std::string_view status) override {
    forget_last();
    const auto domain = policy_->find_own(recipient.domain);
    if (find_exemption(recipient, domain)) return Verdict::proceed();
    note_trap(recipient, *domain);
    domain_ = domain->name;
    if (milter_.is_known(envelope_.client, scope())) return Verdict::proceed();
    if (status == kNoSuchMailbox &&
        milter_.traps().note_unknown(dns_.identities(), now())) {
      trapped().add();
      return Verdict::proceed("greylist-unknown-recipients");
    }
    if (!status.starts_with("4.")) return Verdict::proceed();
    const auto decision = look_up(recipient, *domain, begin);
    if (!decision) store_works_ = false;
    if (!decision || decision->changes.empty()) return Verdict::proceed();
    milter_.note_waiting(dns_.identities().network.text);
    wait_ = decision->wait;
    count("begun");
    return Verdict::proceed("greylist-begun");
  }

  bool wants_content() const noexcept override { return false; }

  Verdict on_fault(const Fault& fault) noexcept override {
    return milter_.on_fault(fault);
  }

  void describe(LogFields& fields) const override {
    if (domain_.empty()) return;
    fields.add("domain", domain_);
    if (listed_.entry) {
      fields.add("list", to_string(listed_.ruling)).add("entry", listed_.entry->str());
    }
    if (const auto* const who = dns_.found_identities()) {
      fields.add("identity", to_string(who->best.kind)).add("whose", who->best.text);
    }
    if (const auto list = dns_.block_list(); !list.empty()) fields.add("blocklist", list);
    if (wait_.count() > 0) fields.add("wait", wait_.count());
  }

 private:
  void forget_last() {
    wait_ = std::chrono::seconds(0);
    domain_.clear();
    listed_ = {};
  }

  // The reason, empty if there is to be no log line; nothing if mail is greylisted.
  std::optional<std::string_view> find_exemption(
      const Recipient& recipient, const std::optional<DomainPolicy>& domain) {
    if (!exemption(envelope_, recipient, domain, policy_->gateway()).empty()) return "";
    domain_ = domain->name;
    listed_ = dns_.find_listed(*domain);
    if (listed_.ruling == Ruling::allowed) return "greylist-allowed";
    const bool is_exempt = listed_.ruling == Ruling::none && is_spared(domain->greylist);
    return is_exempt ? std::optional<std::string_view>("") : std::nullopt;
  }

  bool is_spared(const GreylistPolicy& greylist) {
    if (greylist.when != GreylistWhen::suspicious) {
      return !exemption_by_when(envelope_, greylist).empty();
    }
    // They are asked while SPF is checked.  Of the null sender's scope SPF tells.
    const bool asks =
        envelope_.sender.empty() || !milter_.is_known(envelope_.client, scope());
    if (asks) dns_.begin_block_lists();
    const bool is_verified = !exemption_by_when(envelope_, greylist).empty() ||
                             dns_.identities().is_verified();
    return is_verified && !(asks && dns_.is_block_listed());
  }

  // Neither decides for others nor follows them.
  Verdict judge_denied(const Recipient& recipient, const DomainPolicy& domain) {
    dns_.need_spf();
    const auto decision = decide_on(recipient, domain, true);
    if (!decision) return on_store_fault();
    wait_ = decision->lets_through() ? decision->waited : decision->wait;
    note(*decision);
    return domain.greylist.shadow ? shadow(*decision)
                                  : verdict_for(decision->outcome, true);
  }

  Verdict judge(const Recipient& recipient, const DomainPolicy& domain) {
    domain_ = domain.name;
    if (listed_.ruling == Ruling::denied) return judge_denied(recipient, domain);
    const GreylistPolicy& greylist = domain.greylist;
    const bool leads = greylist.shadow || !let_through_;
    if (leads && milter_.is_known(envelope_.client, scope())) {
      is_identity_known_ = true;
      if (!greylist.shadow) let_through_ = true;
    }
    if (is_identity_known_) return verdict_for(Outcome::known_identity, leads);
    const auto decision = decide_on(recipient, domain, leads);
    if (!decision) return on_store_fault();
    if (leads && decision->outcome == Outcome::first_seen &&
        milter_.dns().is_mail_host(recipient.domain, envelope_.client, dns_.end())) {
      count("exempt");
      if (!greylist.shadow) let_through_ = true;
      return Verdict::proceed("greylist-mail-host");
    }
    wait_ = decision->lets_through() ? decision->waited : decision->wait;
    if (leads) note(*decision);
    if (greylist.shadow) return shadow(*decision);
    if (leads) let_through_ = decision->lets_through();
    return verdict_for(decision->outcome, leads);
  }

  std::optional<Decision> decide_on(const Recipient& recipient,
                                    const DomainPolicy& domain, bool leads) {
    if (leads) return look_up(recipient, domain, decide);
    return look_up(recipient, domain,
                   [&](const Look& look, Time now, const Terms& terms) {
                     return follow(look, now, terms, *let_through_);
                   });
  }

  // `how` is a function of decision.h.
  template <typename How>
  std::optional<Decision> look_up(const Recipient& recipient, const DomainPolicy& domain,
                                  const How& how) {
    if (!store_works_) return std::nullopt;
    const Identities& who = dns_.identities();
    const Time time = now();
    Terms terms = terms_for(who, domain.greylist);
    terms.only_this_mail = listed_.ruling == Ruling::denied;
    terms.may_wait = terms.is_verified || !milter_.is_flooded(who.network.text);
    if (milter_.traps().has(who, time)) {
      lengthen(terms, domain.greylist.trap_delay);
    }
    const Keys keys = keys_of(who, envelope_.sender, recipient, domain.name);
    return milter_.store().update(
        keys, [&](const Look& look) { return how(look, time, terms); });
  }

  void note_trap(const Recipient& recipient, const DomainPolicy& domain) {
    const auto& traps = domain.greylist.traps;
    if (traps.empty() ||
        std::ranges::find(traps, ascii_lower(recipient.local_part)) == traps.end()) {
      return;
    }
    dns_.need_spf();
    milter_.traps().note_trap(dns_.identities(), now());
    trapped().add();
  }

  Time now() const { return milter_.now(); }

  // Of the null sender it depends on the identity.
  std::string scope() {
    return scope_of(envelope_.sender.empty() ? dns_.identities().best : Identity(),
                    envelope_.sender, domain_);
  }

  void note(const Decision& decision) {
    const Identities& who = dns_.identities();
    switch (decision.outcome) {
      case Outcome::first_seen:
        milter_.note_waiting(who.network.text);
        return;
      case Outcome::passed:
        milter_.note_passed(who.network.text);
        count_wait(who.best.kind, decision.waited);
        return;
      case Outcome::known_identity:
        milter_.note_known(envelope_.client, scope());
        // Of the other recipients, too.
        is_identity_known_ = true;
        return;
      default:
        return;
    }
  }

  // The store is not tried again in this transaction: its time is limited.
  Verdict on_store_fault() {
    store_works_ = false;
    count("store-fault");
    if (let_through_ && !*let_through_) return deferred("greylist-follows");
    let_through_ = true;
    return Verdict::proceed("greylist-store-fault");
  }

  Verdict shadow(const Decision& decision) {
    if (decision.lets_through()) return Verdict::proceed();
    count("shadow");
    return Verdict::proceed("greylist-shadow");
  }

  Verdict verdict_for(Outcome outcome, bool leads) const {
    count(outcome);
    const std::string_view reason = leads ? reason_of(outcome) : "greylist-follows";
    return outcome >= Outcome::passed ? Verdict::proceed(reason) : deferred(reason);
  }

  Verdict deferred(std::string_view reason) const {
    const auto& settings = policy_->gateway().greylist;
    return Verdict::defer(
        settings.code == 451 ? StatusCode{451, "4.7.1"} : StatusCode{450, "4.7.1"},
        reason, settings.text);
  }

  GreylistMilter& milter_;
  const Envelope& envelope_;
  const std::shared_ptr<const PolicyDb> policy_;
  SenderDns dns_;
  struct AtData {
    Recipient recipient;
    DomainPolicy domain;
    Listed listed;
  };
  std::vector<AtData> at_data_;      // of the null sender
  std::optional<bool> let_through_;  // what the first greylisted recipient decided
  bool is_identity_known_ = false;   // so no recipient has to wait
  bool has_exempt_ = false;
  bool store_works_ = true;
  // For the current recipient.
  Listed listed_;
  std::string domain_;
  std::chrono::seconds wait_{0};
};

class GreylistConnection : public Connection {
 public:
  explicit GreylistConnection(GreylistMilter& milter) : milter_(milter) {}

  std::unique_ptr<Filter> begin(const Envelope& envelope) override {
    return std::make_unique<GreylistFilter>(milter_, envelope);
  }

 private:
  GreylistMilter& milter_;
};

std::string known_key(const Client& client, const std::string& scope) {
  return client.address->str() + ' ' + scope;
}

}  // namespace

GreylistMilter::GreylistMilter(LivePolicy& policy, GuardedStore& store,
                               spf::Checks& checks, DnsDesk::Lookups lookups, Clock clock,
                               BlockLists::Ask ask)
    : policy_(policy),
      store_(store),
      clock_(std::move(clock)),
      dns_(checks, std::move(lookups)),
      block_lists_(std::move(ask)) {}

Needs GreylistMilter::needs() const {
  Needs needs;
  needs.helo = true;
  needs.recipient_verdict = true;
  needs.refused_recipients = true;
  needs.data_verdict = true;
  return needs;
}

std::unique_ptr<Connection> GreylistMilter::connect(const Client&) {
  return std::make_unique<GreylistConnection>(*this);
}

Verdict GreylistMilter::on_fault(const Fault&) noexcept {
  count("fault");
  return Verdict::proceed("fault");
}

bool GreylistMilter::is_known(const Client& client, const std::string& scope) const {
  return client.address && known_.find(known_key(client, scope), now());
}

void GreylistMilter::note_known(const Client& client, const std::string& scope) {
  known_.set(known_key(client, scope), true, now() + kKnownFor);
}

bool GreylistMilter::is_flooded(const std::string& network) const {
  return waiting_.find(network, now()) >= kMostOfNetwork;
}

void GreylistMilter::note_waiting(const std::string& network) {
  const Time time = now();
  waiting_.change(network, time, time + kFloodWindow,
                  [](unsigned number) { return number + 1; });
}

void GreylistMilter::note_passed(const std::string& network) {
  waiting_.forget(network);
}

}  // namespace mxfeed::greylist
