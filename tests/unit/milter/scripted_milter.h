// SPDX-License-Identifier: GPL-2.0-or-later
//
// A milter that does what a test tells it, and a session with it.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/milter/session.h"

namespace mxfeed {

// What the filter was asked, and what it shall answer.
struct Script {
  Needs needs{.headers = true, .body = true, .recipient_verdict = true, .edits = true};
  std::string asked;
  std::function<Verdict(const Recipient&)> on_recipient;
  std::function<void(const Recipient&)> on_accepted;
  std::function<void()> on_header;
  std::function<void()> on_body;
  std::function<Verdict(MessageEdits&)> on_end;
  std::function<void()> on_connect;
  std::function<void()> on_begin;
  bool wants_content = true;
  bool fail_open = false;
  const Envelope* envelope = nullptr;
};

class ScriptedFilter : public Filter {
 public:
  explicit ScriptedFilter(Script& script) : script_(script) {}
  ~ScriptedFilter() override { script_.asked += "gone "; }
  Verdict on_recipient(const Recipient& recipient) override {
    script_.asked += "rcpt:" + recipient.local_part + "@" + recipient.domain + " ";
    return script_.on_recipient ? script_.on_recipient(recipient) : Verdict::proceed();
  }
  void on_accepted(const Recipient& recipient) override {
    if (script_.on_accepted) script_.on_accepted(recipient);
  }
  Verdict on_refused(const Recipient& recipient, std::string_view status) override {
    script_.asked.append("refused:").append(recipient.local_part).append("@");
    script_.asked.append(recipient.domain).append("=").append(status).append(" ");
    return Verdict::defer({451, "4.3.0"}, "test-refused", "ignored");
  }
  Verdict on_data() override {
    script_.asked += "data ";
    return Verdict::proceed();
  }
  bool wants_content() const noexcept override { return script_.wants_content; }
  void on_header(std::string_view name, std::string_view value) override {
    script_.asked.append(name).append("=").append(value).append(" ");
    if (script_.on_header) script_.on_header();
  }
  void on_body(std::span<const std::byte> chunk) override {
    script_.asked += "body:" + std::to_string(chunk.size()) + " ";
    if (script_.on_body) script_.on_body();
  }
  Verdict on_end(MessageEdits& edits, const Progress&) override {
    script_.asked += "end ";
    return script_.on_end ? script_.on_end(edits) : Verdict::proceed();
  }
  Verdict on_fault(const Fault& fault) noexcept override {
    script_.asked += "fault ";
    return script_.fail_open ? Verdict::proceed("test-fault") : Filter::on_fault(fault);
  }

 private:
  Script& script_;
};

class ScriptedConnection : public Connection {
 public:
  explicit ScriptedConnection(Script& script) : script_(script) {}
  std::unique_ptr<Filter> begin(const Envelope& envelope) override {
    script_.envelope = &envelope;
    script_.asked += "begin ";
    if (script_.on_begin) script_.on_begin();
    return std::make_unique<ScriptedFilter>(script_);
  }

 private:
  Script& script_;
};

class ScriptedMilter : public Milter {
 public:
  explicit ScriptedMilter(Script& script) : script_(script) {}
  Needs needs() const override { return script_.needs; }
  std::unique_ptr<Connection> connect(const Client&) override {
    if (script_.on_connect) script_.on_connect();
    return std::make_unique<ScriptedConnection>(script_);
  }

 private:
  Script& script_;
};

class ListSink : public EditSink {
 public:
  bool edit(const HeaderEdit& edit) override {
    done += edit.name + std::to_string(edit.index) + "=" + edit.value + " ";
    return --until_failure != 0;
  }
  bool add_recipient(const std::string& address) override {
    done += "to:" + address + " ";
    return --until_failure != 0;
  }
  bool remove_recipient(const std::string& address) override {
    done += "not-to:" + address + " ";
    return --until_failure != 0;
  }
  bool quarantine(const std::string& reason) override {
    done += "hold:" + reason;
    return true;
  }
  void progress() override {}

  std::string done;
  int until_failure = 1000;
};

struct Rig {
  Script script;
  ScriptedMilter milter{script};
  ListSink sink;
  std::optional<Session> made;

  Session& session(const SessionLimits& limits = {}) {
    if (!made) {
      made.emplace(milter, "test", limits);
      made->connect({IpAddress::parse("192.0.2.1"), "mail.example"});
    }
    return *made;
  }
};

inline constexpr std::byte kBody[] = {std::byte{'h'}, std::byte{'i'}};

[[noreturn]] inline void fail() {
  throw Fault("test", "filter", "broken");
}

}  // namespace mxfeed
