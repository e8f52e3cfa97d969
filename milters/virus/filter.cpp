// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/filter.h"

#include <chrono>
#include <optional>

#include "common/base/metrics.h"
#include "common/mail/held_address.h"
#include "common/mail/own_fields.h"
#include "milters/virus/counters.h"
#include "milters/virus/decision.h"
#include "milters/virus/exchange.h"
#include "milters/virus/gate.h"
#include "milters/virus/joint_policy.h"

namespace mxfeed::virus {
namespace {

// Time to wait for a worker, in addition to the time limit of a scan.
constexpr std::chrono::seconds kQueueTime{15};

Verdict refuse_smtputf8() {
  static Metric& refused = counter("mxfeed_virus_smtputf8_refused_total");
  refused.add();
  return Verdict::reject({550, "5.6.7"}, "virus-smtputf8",
                         "The recipient's mail server does not support SMTPUTF8");
}

Verdict refuse_size() {
  static Metric& refused = counter("mxfeed_virus_size_refused_total");
  refused.add();
  return Verdict::reject({552, "5.3.4"}, "virus-size",
                         "Message too large for the recipient's domain");
}

class VirusFilter : public Filter {
 public:
  VirusFilter(VirusMilter& milter, const Envelope& envelope)
      : milter_(milter),
        envelope_(envelope),
        policy_(milter.policy().get()),
        gate_(envelope, policy_->gateway()),
        joint_(policy_->gateway().scan_other_mail) {}

  Verdict on_recipient(const Recipient& recipient) override {
    const DomainPolicy found = policy_->find(recipient.domain);
    const auto comes_again = [&] {
      return milter_.put_off().comes_again(envelope_, recipient, milter_.now());
    };
    switch (gate_.admit(recipient, found, comes_again)) {
      case Admission::admitted:
        break;
      case Admission::other_class: {
        static Metric& refused = counter("mxfeed_virus_mixed_recipients_total");
        refused.add();
        milter_.put_off().note(envelope_, recipient, milter_.now());
        return Verdict::defer({452, "4.5.3"}, "virus-mixed-recipients",
                              "Send this recipient in a transaction of its own");
      }
      case Admission::needs_smtputf8:
        return refuse_smtputf8();
      case Admission::too_large:
        return refuse_size();
    }
    joint_.add(recipient, found);
    return Verdict::proceed();
  }

  Verdict on_data() override {
    if (!joint_.scans()) count_other_mail();
    return Verdict::proceed();
  }

  bool wants_content() const noexcept override { return joint_.scans(); }

  void on_header(std::string_view name, std::string_view value) override {
    if (!joint_.scans()) return;
    gate_.see_header(name, value);
    forged_.see(name);
    size_ += name.size() + value.size() + std::string_view(": \r\n").size();
    if (!fits(name.size() + value.size())) return;
    message().add_header(name, value);
  }

  void on_body(std::span<const std::byte> chunk) override {
    if (!joint_.scans()) return;
    size_ += chunk.size();
    if (!fits(chunk.size())) return;
    end_header();
    message().add({reinterpret_cast<const char*>(chunk.data()), chunk.size()});
  }

  Verdict on_end(MessageEdits& edits, const Progress& progress) override {
    if (!joint_.scans()) {
      count_other_mail();
      return Verdict::proceed();
    }
    if (gate_.header_needs_smtputf8()) return refuse_smtputf8();
    if (gate_.max_size() != 0 && size_ > gate_.max_size()) return refuse_size();
    end_header();
    if (too_large_) {
      result_ = ScanResult{ScanVerdict::unscannable, "MessageSize"};
    } else {
      const auto begin = std::chrono::steady_clock::now();
      result_ = scan(progress);
      took_ = std::chrono::duration_cast<std::chrono::microseconds>(
          std::chrono::steady_clock::now() - begin);
    }
    count_result(*result_);
    const Decision decision = decide(*result_, joint_);
    rule_ = decision.rule;
    attachment_ = decision.attachment;
    if (!attachment_.empty()) count_attachment(decision);
    forged_.remove(edits);
    if (!decision.header.empty()) edits.append(kHeaderName, decision.header);
    if (decision.quarantine.empty()) return decision.verdict;
    if (policy_->gateway().quarantine.is_reachable) return hold(decision, edits);
    edits.quarantine(decision.quarantine);
    return decision.verdict;
  }

  Verdict on_fault(const Fault& fault) noexcept override {
    message_.reset();  // not needed any more
    if (dynamic_cast<const MemoryBudgetSpent*>(&fault) != nullptr) {
      static Metric& spent = counter("mxfeed_virus_memory_budget_spent_total");
      spent.add();
      return Verdict::defer({452, "4.3.1"}, "virus-no-memory", "Try again later");
    }
    static Metric& faults = counter("mxfeed_virus_faults_total");
    faults.add();
    return Verdict::defer({451, "4.3.0"}, "virus-fault", "Try again later");
  }

  // A message that exceeds a limit of the session was not collected completely.  It can
  // be neither scanned nor edited, so it is neither delivered nor held.
  Verdict on_limit(std::string_view) noexcept override {
    if (!joint_.scans()) return Verdict::proceed();
    static Metric& limits = counter("mxfeed_virus_limits_total");
    limits.add();
    if (joint_.virus().unscannable == VirusAction::discard) {
      return Verdict::discard("virus-unscannable");
    }
    return Verdict::reject({552, "5.3.4"}, "virus-unscannable",
                           "Message cannot be scanned");
  }

  void describe(LogFields& fields) const override {
    if (!result_) return;
    fields.add("virus", to_string(result_->verdict));
    if (!result_->name.empty()) fields.add("name", result_->name);
    if (!joint_.domain().empty()) fields.add("domain", joint_.domain());
    if (!attachment_.empty()) fields.add("attachment", attachment_);
    if (!rule_.empty()) fields.add("rule", rule_);
    if (workers_lost_ > 0) fields.add("workers_lost", workers_lost_);
    if (!token_.empty()) fields.add("token", token_).add("held", held_);
    if (result_->parts_fed > 0) fields.add("parts_fed", result_->parts_fed);
    fields.add("scan_us", took_.count());
  }

 private:
  // What later filters see of it is our field: a message that is held is none of theirs.
  Verdict hold(const Decision& decision, MessageEdits& edits) {
    std::string token = random_token();
    const auto exchange = exchange_recipients(joint_.recipients(), result_->verdict,
                                              decision.held_as, decision.held_for, token);
    if (!exchange) {
      static Metric& refused = counter("mxfeed_virus_not_exchangeable_total");
      refused.add();
      return Verdict::reject({550, "5.7.1"}, decision.verdict.reason(),
                             "Message refused");
    }
    for (const auto& one : exchange->removed) edits.remove_recipient(one);
    for (const auto& one : exchange->held) edits.add_recipient(one.str());
    edits.append(kQuarantineField, std::string(to_string(decision.held_as)));
    token_ = std::move(token);
    held_ = exchange->held.size();
    return decision.verdict;
  }

  MessageFile& message() {
    if (!message_) message_.emplace(milter_.now(), &milter_.budget());
    return *message_;
  }

  void end_header() {
    if (header_ended_) return;
    header_ended_ = true;
    message().end_header();
  }

  // A message on which workers die, also of earlier tries, is not scanned any more.
  ScanResult scan(const Progress& progress) {
    DeadlyMessages& deadly = milter_.deadly();
    const ScanResult died{ScanVerdict::unscannable, "Worker.Died"};
    static Metric& lost = counter("mxfeed_virus_workers_lost_total");
    static Metric& given_up = counter("mxfeed_virus_deadly_messages_total");
    message().seal();
    std::string digest = deadly.is_empty() ? "" : message().digest();
    bool is_deadly = !digest.empty() && deadly.is_deadly(digest, milter_.now());
    const auto on_loss = [&] {
      lost.add();
      ++workers_lost_;
      if (digest.empty()) digest = message().digest();
      is_deadly = deadly.note_death(digest, milter_.now());
      return !is_deadly;
    };
    try {
      if (!is_deadly) {
        ScanResult result = milter_.scanner().scan(
            message(), joint_.wants_attachments(),
            policy_->gateway().virus.max_scan_time + kQueueTime, progress, on_loss);
        if (result.verdict != ScanVerdict::error) deadly.forgive(digest);
        return result;
      }
    } catch (const WorkerLost&) {
      if (!is_deadly) throw;
    }
    given_up.add();
    return died;
  }

  // After a piece that did not fit, nothing more is kept.
  bool fits(std::size_t more) {
    constexpr std::size_t kOverhead = 1024;  // line ends, our own field
    if (message().size() + more + kOverhead > kMaxMessage) too_large_ = true;
    return !too_large_;
  }

  VirusMilter& milter_;
  const Envelope& envelope_;
  const std::shared_ptr<const PolicyDb> policy_;
  Gate gate_;
  JointPolicy joint_;
  std::optional<MessageFile> message_;
  OwnFields forged_;  // written by the sender
  bool header_ended_ = false;
  std::uint64_t size_ = 0;  // of the message as it came
  bool too_large_ = false;
  std::optional<ScanResult> result_;
  unsigned workers_lost_ = 0;
  std::string rule_;
  std::string attachment_;  // that recipients do not take
  std::string token_;       // of a message that is held
  std::size_t held_ = 0;
  std::chrono::microseconds took_{0};
};

class VirusConnection : public mxfeed::Connection {
 public:
  explicit VirusConnection(VirusMilter& milter) : milter_(milter) {}
  std::unique_ptr<Filter> begin(const Envelope& envelope) override {
    return std::make_unique<VirusFilter>(milter_, envelope);
  }

 private:
  VirusMilter& milter_;
};

}  // namespace

VirusMilter::VirusMilter(const LivePolicy& policy, std::filesystem::path scan_socket,
                         Clock clock, std::uint64_t budget)
    : policy_(policy),
      scanner_(std::move(scan_socket)),
      clock_(std::move(clock)),
      budget_(budget) {}

Needs VirusMilter::needs() const {
  Needs needs;
  needs.headers = true;
  needs.body = true;
  needs.recipient_verdict = true;
  // Other mail that is not scanned ends at DATA.  Elsewhere the answer would only cost
  // time.
  needs.data_verdict = !policy_.get()->gateway().scan_other_mail;
  needs.edits = true;
  needs.recipient_edits = true;
  return needs;
}

std::unique_ptr<mxfeed::Connection> VirusMilter::connect(const Client&) {
  return std::make_unique<VirusConnection>(*this);
}

}  // namespace mxfeed::virus
