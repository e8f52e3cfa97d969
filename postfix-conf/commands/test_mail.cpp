// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/commands/test_mail.h"

#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/json.h"
#include "common/base/process.h"
#include "common/base/text.h"
#include "common/mail/date.h"
#include "common/net/smtp_client.h"
#include "postfix-conf/commands/asked_domain.h"
#include "postfix-conf/commands/in_force.h"
#include "postfix-conf/commands/picked_host.h"
#include "postfix-conf/generate/generations.h"
#include "postfix-conf/postfix/delivery_log.h"
#include "postfix-conf/postfix/mail_log.h"
#include "postfix-conf/postfix/postfix.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint16_t kSmtpPort = 25;
constexpr milliseconds kBetweenLooks{200};
// Postfix's own answer at the end of a message.
constexpr std::string_view kQueuedAs = "queued as ";

// Where Postfix logs to, from now on.
class MailLog {
 public:
  explicit MailLog(const Postfix& postfix) : since_(system_time()) {
    const auto file = mail_log_file(postfix.settings().parameter("maillog_file"));
    std::error_code error;
    const auto size = fs::file_size(file, error);
    if (error) return;
    file_ = file;
    position_ = size;
  }

  // The last thing that was logged about a delivery of the message.
  std::optional<DeliveryLine> find(std::string_view queue_id) {
    std::optional<DeliveryLine> found;
    each_line([&](const std::string& line) {
      if (auto one = parse_delivery(line, queue_id)) found = std::move(one);
    });
    return found;
  }

 private:
  template <typename See>
  void each_line(See see) {
    if (file_.empty()) {
      // "@1795680000" is a time for journalctl(1).
      run_command({"journalctl", "--no-pager", "-q", "-o", "short", "--since",
                   fmt::format("@{}", since_.time_since_epoch().count())},
                  "", [&](std::string_view line) { see(std::string(line)); });
      return;
    }
    std::ifstream stream(file_);
    stream.seekg(static_cast<std::streamoff>(position_));
    for (std::string line; std::getline(stream, line);) see(line);
  }

  const Time since_;
  fs::path file_;  // empty: the journal
  std::uintmax_t position_ = 0;
};

class Report {
 public:
  explicit Report(bool json) : json_(json) {}
  ~Report() {
    if (json_) fmt::print("{}\n", object_.str());
  }
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  void step(std::string_view name, const std::string& text) {
    if (!json_) fmt::print("{:<10} {}\n", name, escape_line(text));
    object_.set(name, text);
  }
  void set(std::string_view name, Json value) { object_.set(name, std::move(value)); }

 private:
  const bool json_;
  Json object_ = Json::object();
};

struct Message {
  std::string sender, recipient, text;
};

Message compose(const std::string& host, const std::string& recipient) {
  std::random_device random;
  const std::string id = fmt::format("{:08x}{:08x}", random(), random());
  Message message{"postmaster@" + host, recipient, {}};
  message.text = fmt::format(
      "From: Mail gateway <{}>\r\nTo: <{}>\r\nSubject: Test of the mail gateway\r\n"
      "Date: {}\r\nMessage-ID: <mxfeed-test.{}@{}>\r\n"
      "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
      "The operator of the mail gateway {} has sent this message to see whether it\r\n"
      "arrives.  Nothing needs to be done.\r\n",
      message.sender, recipient, format_date(system_time()), id, host, host);
  return message;
}

// Gives it to this host's own Postfix; returns the last reply.
smtp::Reply hand_over(const IpAddress& gateway, const std::string& helo,
                      const Message& message, seconds timeout) {
  smtp::Session session({gateway, kSmtpPort, std::nullopt},
                        std::chrono::steady_clock::now() + timeout);
  smtp::Reply reply = session.greeting();
  if (reply.is_positive()) reply = session.hello(helo).reply;
  for (const auto& command :
       {fmt::format("MAIL FROM:<{}>", message.sender),
        fmt::format("RCPT TO:<{}>", message.recipient), std::string("DATA")}) {
    if (reply.is_positive()) reply = session.command(command);
  }
  return reply.is_positive() ? session.data(message.text) : reply;
}

std::string queue_id_of(const smtp::Reply& reply) {
  const auto text = reply.text();
  const auto at = text.find(kQueuedAs);
  if (at == std::string::npos) return {};
  const auto rest = std::string_view(text).substr(at + kQueuedAs.size());
  return std::string(rest.substr(0, rest.find(' ')));
}

ExitCode tell(const std::optional<DeliveryLine>& last, seconds timeout, Report& report) {
  report.set("status", last ? Json(last->status) : Json());
  if (!last) {
    report.step("waiting", fmt::format("no attempt within {} s: see the mail log and "
                                       "mxfeed queue",
                                       timeout.count()));
    return ExitCode::try_later;
  }
  const std::string text = fmt::format("{}: {}", last->relay, last->reason);
  if (last->status == "sent") {
    report.step("delivered", text);
    return ExitCode::fine;
  }
  if (last->status == "deferred") {
    report.step("deferred", text);
    return ExitCode::try_later;
  }
  report.step("refused", text);
  return ExitCode::wrong;
}

}  // namespace

ExitCode test_mail(const TestMailOptions& options) {
  // A server that is gone is an error to report.
  std::signal(SIGPIPE, SIG_IGN);
  const auto asked = ask_domain(options.config, options.state, options.domain);
  if (!asked) return ExitCode::wrong;
  const auto former = read_in_force(Generations(options.state)).meta.local;
  const auto host = pick_host(asked->config, options.host, former);
  if (host.config == nullptr || host.config->addresses.empty()) {
    fmt::print(stderr,
               "no [[host]] with an address is this host; --host NAME selects "
               "one\n");
    return ExitCode::wrong;
  }
  const auto recipient =
      options.recipient.empty() ? "postmaster@" + asked->domain->name : options.recipient;
  MailLog log{Postfix(options.postfix_config)};
  Report report(options.json);
  const auto reply = hand_over(host.config->addresses.front(), host.config->name,
                               compose(host.config->name, recipient), options.timeout);
  if (!reply.is_positive()) {
    report.step(reply.is_transient() ? "deferred" : "refused",
                "by this gateway: " + reply.text());
    return reply.is_transient() ? ExitCode::try_later : ExitCode::wrong;
  }
  report.step("accepted", reply.text());
  const auto queue_id = queue_id_of(reply);
  const auto deadline = std::chrono::steady_clock::now() + options.timeout;
  auto last = log.find(queue_id);
  while (!last && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kBetweenLooks);
    last = log.find(queue_id);
  }
  return tell(last, options.timeout, report);
}

}  // namespace mxfeed
