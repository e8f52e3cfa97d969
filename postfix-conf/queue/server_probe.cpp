// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/server_probe.h"

#include <algorithm>
#include <exception>

#include "common/base/text.h"

namespace mxfeed {
namespace {

// An address that cannot smuggle a command.
bool is_harmless(std::string_view address) {
  return address.size() <= 1000 &&
         std::none_of(address.begin(), address.end(),
                      [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
}

std::string name_in(const smtp::Reply& greeting) {
  const std::string_view line =
      greeting.lines.empty() ? std::string_view() : greeting.lines.front();
  return ascii_lower(line.substr(0, line.find(' ')));
}

void converse(const ServerQuestion& question, ServerAnswer& answer) {
  smtp::Session session(question.target,
                        std::chrono::steady_clock::now() + question.patience);
  answer.said = session.greeting().text();
  if (!session.greeting().is_positive()) return;
  const auto hello = session.hello(question.helo);
  answer.said = hello.reply.text();
  if (!hello.reply.is_positive()) return;
  if (hello.offers("STARTTLS")) {
    const auto reply = session.start_tls("");
    answer.said = reply.text();
    if (!reply.is_positive()) return;
    if (session.certificate()) {
      answer.finding.identity.certificate = session.certificate()->fingerprint;
    }
    if (!session.hello(question.helo).reply.is_positive()) return;
  }
  answer.finding.identity.name = name_in(session.greeting());
  answer.finding.greets = true;
  if (question.recipients.empty()) {
    answer.finding.accepts = true;
    return;
  }
  const auto reply = session.command("MAIL FROM:<>");
  answer.said = reply.text();
  if (!reply.is_positive()) return;
  for (const auto& recipient : question.recipients) {
    if (!is_harmless(recipient)) continue;
    const auto outcome = session.command("RCPT TO:<" + recipient + ">");
    answer.said = outcome.text();
    answer.finding.accepts = outcome.is_positive();
    if (answer.finding.accepts) return;
  }
}

}  // namespace

ServerAnswer ask_server(const ServerQuestion& question) {
  ServerAnswer answer;
  try {
    converse(question, answer);
  } catch (const std::exception& error) {
    answer.said = error.what();
  }
  return answer;
}

}  // namespace mxfeed
