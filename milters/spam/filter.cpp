// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "common/base/metrics.h"
#include "common/mail/held_address.h"
#include "milters/spam/action.h"
#include "milters/spam/evidence/message.h"
#include "milters/spam/joint_policy.h"
#include "milters/spam/teaching.h"

namespace mxfeed::spam {
namespace {

Verdict pass_after_fault() {
  return Verdict::proceed("spam-fault");
}

Verdict count_refusal(Verdict verdict) {
  counter("mxfeed_spam_reports_refused_total",
          fmt::format(R"(reason="{}")", verdict.reason()))
      .add();
  return verdict;
}

// A report must not reach the domain's server, which does not know the recipient.
Verdict put_off() {
  return count_refusal(Verdict::defer({451, "4.3.0"}, "spam-cannot-hold",
                                      "This recipient cannot be served at present"));
}

// What is to be done for the ordinary recipients of a message.
enum class Scope {
  other,     // none is in a hosted domain: nothing
  taught,    // the same, but there are others, who teach: remove forged fields
  disabled,  // remove forged fields
  exempt,    // the same
  judged
};

class SpamFilter : public Filter {
 public:
  SpamFilter(const Envelope& envelope, std::shared_ptr<const PolicyDb> policy,
             const Clock& clock, const AnsweringServers& answering,
             const Classifier& classifier)
      : envelope_(envelope),
        policy_(std::move(policy)),
        clock_(clock),
        answering_(answering),
        message_(envelope, policy_->gateway(), classifier) {}

  // Neither mail of others nor a recipient that was refused costs a check.
  void on_accepted(const Recipient& recipient) override {
    if (recipient.may_be_hosted) message_.begin(policy_->find(recipient.domain).spam);
  }

  Verdict on_data() override {
    settle();
    return Verdict::proceed();
  }

  bool wants_content() const noexcept override { return scope_ != Scope::other; }

  void on_header(std::string_view name, std::string_view value) override {
    settle();
    if (scope_ == Scope::other) return;
    header_.field(name, value);
    message_.field(name, value);
    if (reader_) reader_->field(name, value);
  }

  void on_body(std::span<const std::byte> chunk) override {
    settle();
    if (!reader_) return;
    const std::string_view text(reinterpret_cast<const char*>(chunk.data()),
                                chunk.size());
    message_.body(text);
    reader_->body(text);
  }

  Verdict on_end(MessageEdits& edits, const Progress&) override {
    settle();
    if (scope_ == Scope::other) return Verdict::proceed();
    // Its recipients are those of the quarantine: to delete it would take it from there.
    if (header_.own_fields().has(kQuarantineField)) {
      static Metric& held = counter("mxfeed_spam_held_before_total");
      held.add();
      return Verdict::proceed("spam-held-before");
    }
    forged_ = remove_forged(header_, domain_.spam, edits);
    forged_ += message_.remove_forged(edits);
    static Metric& forged = counter("mxfeed_spam_forged_fields_total");
    if (forged_ > 0) forged.add(forged_);
    if (const auto refused = taught_refusal()) return *refused;
    Verdict verdict = judged(edits);
    if (verdict.action() == Action::discard && !taught_.empty()) {
      for (const Recipient* one : ordinary_) edits.remove_recipient(one->as_received);
      verdict = Verdict::proceed(verdict.reason());
    }
    if (verdict.action() != Action::proceed) return verdict;
    if (!edits.quarantine_reason().empty() &&
        policy_->gateway().quarantine.is_reachable) {
      hold(edits);
    }
    if (!taught_.empty()) hold_taught(edits);
    if (const auto check = message_.sender()) {
      edits.append(kSenderField, compose(*check));
    }
    return verdict;
  }

  Verdict on_fault(const Fault&) noexcept override {
    return taught_.empty() ? pass_after_fault() : put_off();
  }

  // mxfeed-virus refuses such a message; without it, the message passes.
  Verdict on_limit(std::string_view) noexcept override {
    return taught_.empty() ? Verdict::proceed("spam-limit") : put_off();
  }

  void describe(LogFields& fields) const override {
    if (!domain_.name.empty()) fields.add("domain", domain_.name);
    if (forged_ > 0) fields.add("forged", forged_);
    message_.describe(fields);
    taught_.describe(fields);
    if (!token_.empty()) fields.add("token", token_);
    if (!decision_) return;
    fields.add("level", message_.rating().name())
        .add("p", fmt::format("{:.3f}", message_.probability()))
        .add("act", to_string(decision_->action));
    if (decision_->softened) {
      fields.add("instead_of", to_string(rule_of(message_.rating(), domain_.spam).action))
          .add("because", exempt_ == Exempt::some ? "exempt-recipient" : "immature");
    }
    message_.describe_findings(fields);
  }

 private:
  // Exchanges the recipients for addresses of the quarantine, instead of Postfix's hold
  // queue, which keeps the message if one of them cannot be exchanged.
  void hold(MessageEdits& edits) {
    if (!std::ranges::all_of(ordinary_, [](const Recipient* one) {
          return is_exchangeable(one->as_received);
        })) {
      return;
    }
    std::vector<HeldAddress> held;
    for (const Recipient* one : ordinary_) {
      const DomainPolicy policy = policy_->find(one->domain);
      held.push_back({HeldKind::spam, token(),
                      policy.name.empty() ? one->domain : policy.name,
                      edits.quarantine_reason(), one->as_received});
    }
    edits.quarantine("");
    for (const HeldAddress& one : held) {
      edits.remove_recipient(one.recipient);
      edits.add_recipient(one.str());
    }
    edits.append(kQuarantineField, to_string(HeldKind::spam));
  }

  void hold_taught(MessageEdits& edits) {
    taught_.hold(token(), edits);
    for (const HeldKind kind : taught_.kinds()) {
      counter("mxfeed_spam_taught_total", fmt::format(R"(kind="{}")", to_string(kind)))
          .add();
    }
  }

  // Of what is held of the message.
  const std::string& token() {
    if (token_.empty()) token_ = random_token();
    return token_;
  }

  // Why the message cannot be taken from its sender for those who teach.
  std::optional<Verdict> taught_refusal() {
    if (taught_.empty()) return std::nullopt;
    if (!policy_->gateway().quarantine.is_reachable) return put_off();
    const std::string domain = Recipient::parse(envelope_.sender).domain;
    const Reporter reporter{message_.is_own(), envelope_.client.address,
                            domain.empty() ? DomainPolicy{} : policy_->find(domain)};
    auto refused =
        taught_.refusal(reporter, [&] { return message_.confirms_sender(domain); });
    if (refused) return count_refusal(*std::move(refused));
    return std::nullopt;
  }

  // What the domain wants done with spam.
  Verdict judged(MessageEdits& edits) {
    if (is_mixed_ && scope_ != Scope::exempt) {
      static Metric& mixed = counter("mxfeed_spam_mixed_total");
      mixed.add();
    }
    if (scope_ == Scope::taught) return Verdict::proceed("spam-taught");
    if (scope_ == Scope::exempt) return Verdict::proceed("spam-exempt");
    if (scope_ == Scope::disabled) {
      return Verdict::proceed(forged_ > 0 ? "spam-forged" : "");
    }
    const Time now = clock_();
    Message message = reader_->finish(now);
    message.main_answers = !is_mixed_ && answering_.contains(domain_.name, now);
    message_.judge(message, domain_, now);
    decision_ = act(message_.rating(), message_.is_proven(), domain_.spam, exempt_,
                    header_, message_.report(), edits);
    counter("mxfeed_spam_messages_total",
            fmt::format(R"(level="{}",action="{}")", message_.rating().name(),
                        to_string(decision_->action)))
        .add();
    return decision_->verdict;
  }

  // Decides the scope when the content begins: then all recipients are known.
  void settle() {
    if (settled_) return;
    settled_ = true;
    const bool is_trusted = message_.is_own();
    std::size_t roles = 0;
    bool first = true;
    std::optional<std::string> looked_up;
    DomainPolicy policy;
    DomainPolicy of_taught;
    for (const Recipient& recipient : envelope_.recipients) {
      const bool is_same = looked_up && recipient.domain == *looked_up;
      if (!is_same) policy = policy_->find(recipient.domain);
      looked_up = recipient.domain;
      if (taught_.add(recipient, policy)) {
        of_taught = policy;
        continue;
      }
      ordinary_.push_back(&recipient);
      if (!recipient.role().empty()) ++roles;
      if (first) {
        domain_ = policy;
        first = false;
      } else if (policy.content_class != domain_.content_class) {
        is_mixed_ = true;
        domain_.spam = least_destructive(domain_.spam, policy.spam);
        domain_.senders = {};  // what one has said is not the other's
        if (!domain_.is_hosted()) domain_.content_class = policy.content_class;
      }
    }
    if (!domain_.is_hosted() && !taught_.empty()) {
      scope_ = Scope::taught;
      domain_ = of_taught;
    } else if (!domain_.is_hosted()) {
      scope_ = Scope::other;
    } else if (is_trusted && is_mixed_) {
      scope_ = Scope::exempt;
    } else if (!domain_.spam.enabled) {
      scope_ = Scope::disabled;
    } else if (is_trusted || roles == ordinary_.size()) {
      scope_ = Scope::exempt;
    } else {
      scope_ = Scope::judged;
      exempt_ = roles > 0 ? Exempt::some : Exempt::nobody;
      reader_.emplace();
    }
  }

  const Envelope& envelope_;
  const std::shared_ptr<const PolicyDb> policy_;
  const Clock& clock_;
  const AnsweringServers& answering_;
  Classification message_;

  bool settled_ = false;
  Scope scope_ = Scope::other;
  Exempt exempt_ = Exempt::nobody;
  bool is_mixed_ = false;  // recipients of different policies: domain_ has the joint one
  DomainPolicy domain_;
  TaughtRecipients taught_;
  std::vector<const Recipient*> ordinary_;  // of the envelope, all others
  HeaderView header_;
  std::optional<Reader> reader_;

  std::size_t forged_ = 0;
  std::optional<Decision> decision_;
  std::string token_;  // of a message that is held
};

class SpamConnection : public Connection {
 public:
  SpamConnection(const PolicySource& policy, const Clock& clock,
                 const AnsweringServers& answering, const Classifier& classifier)
      : policy_(policy), clock_(clock), answering_(answering), classifier_(classifier) {}

  std::unique_ptr<Filter> begin(const Envelope& envelope) override {
    return std::make_unique<SpamFilter>(envelope, policy_(), clock_, answering_,
                                        classifier_);
  }

 private:
  const PolicySource& policy_;
  const Clock& clock_;
  const AnsweringServers& answering_;
  const Classifier& classifier_;
};

}  // namespace

SpamMilter::SpamMilter(PolicySource policy, Clock clock, Sources sources,
                       spf::Checks& checks, const AnsweringServers& answering,
                       ListDesk& lists, CombinerSource combiner)
    : policy_(std::move(policy)),
      clock_(std::move(clock)),
      sources_(std::move(sources)),
      answering_(answering),
      combiner_(std::move(combiner)),
      classifier_{sources_, checks, lists, engine_, combiner_} {}

Needs SpamMilter::needs() const {
  Needs needs;
  needs.helo = true;
  needs.headers = true;
  needs.body = true;
  needs.recipients = true;
  // Other mail ends at DATA.  Where it is scanned for viruses all mail is ours, or
  // nearly, and the answer would only cost time.
  needs.data_verdict = !policy_()->gateway().scan_other_mail;
  needs.edits = true;
  needs.recipient_edits = true;
  return needs;
}

std::unique_ptr<Connection> SpamMilter::connect(const Client&) {
  return std::make_unique<SpamConnection>(policy_, clock_, answering_, classifier_);
}

Verdict SpamMilter::on_fault(const Fault&) noexcept {
  return pass_after_fault();
}

}  // namespace mxfeed::spam
