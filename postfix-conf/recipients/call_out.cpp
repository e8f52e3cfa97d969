// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/recipients/call_out.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <utility>

#include "common/base/fault.h"
#include "common/base/text.h"

namespace mxfeed::recipients {
namespace {

using Instant = smtp::Session::Instant;

constexpr int kExceeded = 552;  // RFC 5321, 4.2.2

std::string name_of(const smtp::Target& server) {
  return fmt::format("[{}]:{}", server.address.str(), server.port);
}

// The dialog of ask_recipients(), with what it has heard so far.
class Interview {
 public:
  Interview(const Query& query, const smtp::Hello& hello, const Command& command)
      : query_(query), hello_(hello), command_(command) {}

  void run(Report& report) {
    const bool needs_smtputf8 = query_.recipient.needs_smtputf8();
    const bool has_smtputf8 = hello_.offers("SMTPUTF8");
    const auto mail = command_(needs_smtputf8 && has_smtputf8 ? "MAIL FROM:<> SMTPUTF8"
                                                              : "MAIL FROM:<>");
    report.text = mail.text();
    if (mail.is_permanent()) {
      report.heard.contact = Contact::not_askable;
      return;
    }
    if (mail.is_transient()) {
      report.heard.contact = Contact::answered;
      report.heard.address = Reply::deferred;
      return;
    }
    if (needs_smtputf8 && !has_smtputf8) {
      // RFC 6531, 3.2: mail for it cannot be given to this server.
      report.heard.address = Reply::refused;
      report.text = "SMTPUTF8 is not offered";
    } else {
      const auto reply = rcpt(query_.recipient);
      report.heard.address = classify(reply);
      report.text = reply.text();
    }
    report.heard.contact = Contact::answered;
    if (query_.random) report.heard.random = classify(rcpt(*query_.random));
    const bool is_control_due =
        report.heard.address == Reply::refused && report.heard.random != Reply::accepted;
    if (query_.control && is_control_due) {
      report.heard.control = classify(rcpt(*query_.control));
    }
  }

 private:
  smtp::Reply rcpt(const Recipient& recipient) {
    return command_(fmt::format("RCPT TO:<{}>", recipient.str()));
  }

  const Query& query_;
  const smtp::Hello& hello_;
  const Command& command_;
};

// The server is there, but says "try again" before it can be asked.
class Temporary : public Fault {
 public:
  using Fault::Fault;
};

void require_positive(const smtp::Reply& reply, const std::string& server) {
  if (reply.is_transient()) throw Temporary("greet", server, reply.text());
  if (!reply.is_positive()) throw Fault("greet", server, reply.text());
}

smtp::Hello greet(smtp::Session& session, const std::string& helo,
                  const std::string& server) {
  require_positive(session.greeting(), server);
  auto hello = session.hello(helo);
  require_positive(hello.reply, server);
  return hello;
}

// A greeted session, if possible with TLS.
std::pair<std::unique_ptr<smtp::Session>, smtp::Hello> open(const smtp::Target& server,
                                                            const std::string& helo,
                                                            Instant deadline) {
  const std::string name = name_of(server);
  auto session = std::make_unique<smtp::Session>(server, deadline);
  auto hello = greet(*session, helo, name);
  if (!hello.offers("STARTTLS")) return {std::move(session), std::move(hello)};
  try {
    if (session->start_tls({}).is_positive()) {
      hello = session->hello(helo);
      require_positive(hello.reply, name);
    }
  } catch (const Fault&) {
    // RFC 7435: without TLS rather than not at all.
    session = std::make_unique<smtp::Session>(server, deadline);
    hello = greet(*session, helo, name);
  }
  return {std::move(session), std::move(hello)};
}

Report ask_server(const Query& query, const smtp::Target& server, const std::string& helo,
                  Instant deadline) {
  Report report;
  try {
    const auto [session, hello] = open(server, helo, deadline);
    smtp::Session& opened = *session;
    report = ask_recipients(query, hello,
                            [&](std::string_view line) { return opened.command(line); });
  } catch (const Temporary& temporary) {
    report.heard = {Contact::answered, Reply::deferred, {}, {}};
    report.text = escape_line(temporary.what());
  } catch (const Fault& fault) {
    report.text = escape_line(fault.what());
  }
  report.server = name_of(server);
  return report;
}

}  // namespace

Reply classify(const smtp::Reply& reply) {
  if (reply.code >= 200 && reply.code < 300) return Reply::accepted;
  if (!reply.is_permanent()) return Reply::deferred;
  // RFC 3463, 3.3: the mailbox exists, but takes nothing now.
  const bool is_full = reply.code == kExceeded ||
                       (!reply.lines.empty() && reply.lines.front().starts_with("5.2.2"));
  return is_full ? Reply::deferred : Reply::refused;
}

Report ask_recipients(const Query& query, const smtp::Hello& hello,
                      const Command& command) {
  Report report;
  try {
    Interview(query, hello, command).run(report);
  } catch (const Fault& fault) {
    if (report.heard.contact == Contact::none) report.text = escape_line(fault.what());
  }
  return report;
}

Report call_out(const Query& query, const std::vector<smtp::Target>& servers,
                const std::string& helo, Instant deadline) {
  Report best;
  best.text = "no server to ask";
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline) break;
    const auto left = servers.size() - i;
    auto report = ask_server(query, servers[i], helo,
                             now + (deadline - now) / static_cast<std::int64_t>(left));
    const CallOut heard = report.heard;
    const bool is_better =
        heard.contact != Contact::none || best.heard.contact == Contact::none;
    if (is_better) best = std::move(report);
    // As Postfix: the next server is tried after a temporary failure.
    if (heard.contact != Contact::none && heard.address != Reply::deferred) break;
  }
  return best;
}

}  // namespace mxfeed::recipients
