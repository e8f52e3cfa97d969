// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/verify/server_checks.h"

#include <fmt/format.h>

#include <memory>
#include <string_view>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/net/smtp_client.h"
#include "postfix-conf/verify/relay_probe.h"

namespace mxfeed {
namespace {

using smtp::Reply;

// What smtp_tls_policy_maps says of a server (postconf(5)).
struct TlsDemand {
  bool is_needed;
  std::string name;         // of level verify
  std::string fingerprint;  // of level fingerprint

  explicit TlsDemand(std::string_view policy)
      : is_needed(!policy.empty() && policy != "may") {
    constexpr std::string_view kMatch = " match=";
    const auto match = policy.find(kMatch);
    if (match == std::string_view::npos) return;
    (policy.starts_with("fingerprint") ? fingerprint : name) =
        policy.substr(match + kMatch.size());
  }

  // Why Postfix would not deliver to the owner of the certificate; empty if it would.
  std::string why_not(const tls::Certificate& certificate) const {
    if (!fingerprint.empty() && !iequals(fingerprint, certificate.fingerprint)) {
      return "not the certificate with the fingerprint " + fingerprint;
    }
    if (name.empty()) return {};
    if (!certificate.is_trusted) return escape_line(certificate.trouble);
    return certificate.matches_name ? std::string() : "it does not name " + name;
  }
};

// A session that is opened again when the server ends it, as many do after some errors.
class Dialog {
 public:
  Dialog(smtp::Target target, const ServerSettings& settings)
      : target_(std::move(target)), settings_(settings) {}

  // The reply to a recipient in a transaction of its own; of MAIL FROM if that is
  // refused.
  Reply ask(const std::string& sender, const std::string& recipient) {
    for (int tries = 0;; ++tries) {
      try {
        return once(sender, recipient);
      } catch (const Fault&) {
        session_.reset();
        if (tries > 0) throw;
      }
    }
  }

 private:
  Reply once(const std::string& sender, const std::string& recipient) {
    if (!session_ || asked_ >= kMaxAsked) open();
    ++asked_;
    const Reply reset = session_->command("RSET");
    if (reset.code == 421) throw Fault("ask", "", reset.text());
    Reply reply = session_->command(fmt::format("MAIL FROM:{}", sender));
    if (reply.is_positive()) {
      reply = session_->command(fmt::format("RCPT TO:{}", recipient));
    }
    if (reply.code == 421) throw Fault("ask", "", reply.text());
    return reply;
  }

  void open() {
    session_.reset();
    asked_ = 0;
    session_ = std::make_unique<smtp::Session>(
        target_, std::chrono::steady_clock::now() + settings_.timeout);
    if (!session_->greeting().is_positive()) {
      throw Fault("greet", "", session_->greeting().text());
    }
    session_->hello(settings_.helo);
  }

  // Below what servers take for an attack: Postfix slows down after 10 errors.
  static constexpr int kMaxAsked = 8;
  const smtp::Target target_;
  const ServerSettings& settings_;
  std::unique_ptr<smtp::Session> session_;
  int asked_ = 0;
};

class ServerChecks {
 public:
  ServerChecks(const IpAddress& address, std::uint16_t port, const std::string& domain,
               const ServerSettings& settings)
      : address_(address),
        port_(port),
        domain_(domain),
        settings_(settings),
        subject_(fmt::format("[{}]:{}", address.str(), port)) {}

  std::vector<Finding> run() {
    const bool v4 = address_.is_v4();
    const auto& source = v4 ? settings_.source_v4 : settings_.source_v6;
    const auto& outside = v4 ? settings_.outside_v4 : settings_.outside_v6;
    if (greets(source)) {
      Dialog dialog({address_, port_, source}, settings_);
      guarded("recipient", [&] { recipients(dialog); });
      guarded("open-relay", [&] { relays(dialog, Trusted::yes); });
      // A server that is down tells nothing about who may connect.
      if (outside) from_outside(*outside);
    }
    return found_.all();
  }

 private:
  enum class Trusted { yes, no };

  template <typename Do>
  void guarded(std::string_view check, Do what) {
    try {
      what();
    } catch (const Fault& fault) {
      found_.unknown(check, subject_, escape_line(fault.what()));
    }
  }

  smtp::Session::Instant deadline() const {
    return std::chrono::steady_clock::now() + settings_.timeout;
  }

  // What it says before any mail; false if there is nothing more to ask.
  bool greets(const std::optional<IpAddress>& source) {
    std::unique_ptr<smtp::Session> session;
    try {
      session = std::make_unique<smtp::Session>(smtp::Target{address_, port_, source},
                                                deadline());
    } catch (const Fault& fault) {
      found_.failed("connect", subject_, std::string(fault.what()),
                    fmt::format("let {} connect to port {}; is the server up?",
                                source ? source->str() : "this host", port_));
      return false;
    }
    if (!session->greeting().is_positive()) {
      found_.failed("connect", subject_,
                    "refuses the connection: " + session->greeting().text(),
                    "allow the gateways' addresses");
      return false;
    }
    found_.ok("connect", subject_, session->greeting().text());
    guarded("hello", [&] { hello(*session); });
    return true;
  }

  void hello(smtp::Session& session) {
    auto hello = session.hello(settings_.helo);
    if (!hello.reply.is_positive()) {
      found_.failed("hello", subject_, hello.reply.text(),
                    "let the gateways say EHLO with their own names");
      return;
    }
    tls(session, hello);
    size(hello);
    if (settings_.needs_smtputf8) {
      hello.offers("SMTPUTF8")
          ? found_.ok("smtputf8", subject_, "offered")
          : found_.failed("smtputf8", subject_,
                          "SMTPUTF8 is not offered: such mail bounces",
                          "set smtputf8 = false in [postfix], or switch it on there");
    }
  }

  void tls(smtp::Session& session, smtp::Hello& hello) {
    const TlsDemand demand(settings_.tls);
    if (!hello.offers("STARTTLS")) {
      const std::string cause = "STARTTLS is not offered";
      demand.is_needed
          ? found_.failed("starttls", subject_, cause + ": mail for the domain waits",
                          "switch it on there, or set tls = \"may\"")
          : found_.note("starttls", subject_,
                        cause + ": mail crosses the net in clear text",
                        "switch it on there");
      return;
    }
    const Reply reply = session.start_tls(demand.name);
    if (!reply.is_positive()) {
      found_.failed("starttls", subject_, reply.text(), "correct TLS there");
      return;
    }
    hello = session.hello(settings_.helo);
    const auto& certificate = *session.certificate();
    const std::string text =
        fmt::format("certificate {}, SHA-256 {}", escape_untrusted(certificate.subject),
                    certificate.fingerprint);
    if (const auto cause = demand.why_not(certificate); !cause.empty()) {
      found_.failed("starttls", subject_,
                    fmt::format("{}: {}: mail for the domain waits", text, cause),
                    "correct the certificate there, or tls in the configuration");
      return;
    }
    found_.ok("starttls", subject_,
              certificate.is_trusted
                  ? text
                  : fmt::format("{} ({})", text, escape_line(certificate.trouble)));
  }

  void size(const smtp::Hello& hello) {
    const auto limit = hello.size();
    if (!limit) {
      found_.note("size", subject_, "SIZE is not offered: its limit is not known",
                  fmt::format("let it take messages of {} bytes", settings_.max_size));
    } else if (*limit != 0 && *limit < settings_.max_size) {
      found_.failed("size", subject_,
                    fmt::format("takes {} bytes, less than max_size ({}): larger mail "
                                "bounces",
                                *limit, settings_.max_size),
                    "raise its limit, or lower max_size");
    } else {
      found_.ok("size", subject_,
                *limit == 0 ? std::string("no limit") : fmt::format("{} bytes", *limit));
    }
  }

  std::string at(std::string_view local) const {
    return fmt::format("<{}@{}>", local, domain_);
  }

  void recipient(Dialog& dialog, std::string_view check, const std::string& recipient) {
    const Reply reply = dialog.ask("<>", recipient);
    if (reply.is_positive()) {
      found_.ok(check, subject_, fmt::format("takes {}", recipient));
    } else if (reply.is_transient()) {
      found_.failed(check, subject_,
                    fmt::format("defers {}: {}", recipient, reply.text()),
                    "do not greylist or limit the gateways");
    } else {
      found_.failed(check, subject_,
                    fmt::format("refuses {}: {}", recipient, reply.text()),
                    check == "postmaster"
                        ? "let it take mail for postmaster (RFC 5321, 4.5.1)"
                        : "is the recipient right, and does it take the null sender?");
    }
  }

  void recipients(Dialog& dialog) {
    recipient(dialog, "postmaster", at("postmaster"));
    const std::string known = settings_.recipient.empty()
                                  ? at("postmaster")
                                  : fmt::format("<{}>", settings_.recipient);
    if (!settings_.recipient.empty()) recipient(dialog, "recipient", known);
    const Reply random = dialog.ask("<>", at(settings_.unknown));
    if (random.is_positive()) {
      found_.note("catch-all", subject_,
                  fmt::format("takes any recipient, also {}", at(settings_.unknown)),
                  "let it refuse unknown recipients at RCPT: else it bounces them to "
                  "forged senders, and recipients = \"callout\" has no effect");
    } else if (random.is_transient()) {
      found_.note("catch-all", subject_, "defers unknown recipients: " + random.text(),
                  "let it refuse them with 550");
    } else {
      found_.ok("catch-all", subject_, "refuses unknown recipients: " + random.text());
    }
    if (!settings_.spf_failing.empty()) {
      spf_trap(dialog, known);
    }
  }

  // Whether it holds against us what the sender's SPF says: relayed mail never passes.
  void spf_trap(Dialog& dialog, const std::string& known) {
    if (!dialog.ask("<>", known).is_positive()) return;
    const std::string sender = fmt::format("<postmaster@{}>", settings_.spf_failing);
    const Reply reply = dialog.ask(sender, known);
    if (reply.is_positive()) {
      found_.ok("spf", subject_, "does not check SPF against the gateway's address");
    } else {
      found_.failed("spf", subject_,
                    fmt::format("refuses {}, whose SPF does not name the gateway: {}",
                                sender, reply.text()),
                    "exempt the gateways from SPF and block lists there");
    }
  }

  void relays(Dialog& dialog, Trusted trusted) {
    for (const auto& probe :
         relay_probes({domain_, settings_.foreign, address_.str(), settings_.unknown})) {
      if (!dialog.ask(probe.sender, probe.recipient).is_positive()) continue;
      if (!probe.control.empty() &&
          dialog.ask(probe.sender, probe.control).is_positive()) {
        continue;
      }
      const std::string cause =
          fmt::format("takes {} from {}", probe.recipient, probe.sender);
      if (trusted == Trusted::no) {
        found_.failed("open-relay", subject_, cause + ": it is an open relay",
                      "let it take mail for its own domains only, at once");
      } else {
        found_.note("open-relay", subject_,
                    cause + ": it relays for the gateway, or for everybody",
                    "let it take only its own domains from the gateways; --from ADDRESS "
                    "tells which it is");
      }
      return;
    }
    found_.ok("open-relay", subject_,
              trusted == Trusted::no ? "relays for nobody"
                                     : "does not relay, not even for the gateway");
  }

  void from_outside(const IpAddress& outside) {
    const smtp::Target target{address_, port_, outside};
    bool answers = false;
    try {
      const smtp::Session session(target, deadline());
      answers = session.greeting().is_positive();
    } catch (const Fault&) {
      // As it should be for a feed.
    }
    if (!answers) {
      found_.ok(
          "bypass", subject_,
          fmt::format("does not answer to {}, which is not a gateway", outside.str()));
      return;
    }
    Dialog dialog(target, settings_);
    guarded("bypass", [&] { bypass(dialog, outside); });
    guarded("open-relay", [&] { relays(dialog, Trusted::no); });
  }

  void bypass(Dialog& dialog, const IpAddress& outside) {
    if (!settings_.is_filtered) return;
    const std::string known = settings_.recipient.empty()
                                  ? at("postmaster")
                                  : fmt::format("<{}>", settings_.recipient);
    if (dialog.ask("<>", known).is_positive()) {
      found_.failed(
          "bypass", subject_,
          fmt::format("takes mail from {}: the filter can be gone round", outside.str()),
          "let only the gateways connect to it");
    } else {
      found_.ok("bypass", subject_, fmt::format("takes no mail from {}", outside.str()));
    }
  }

  const IpAddress& address_;
  const std::uint16_t port_;
  const std::string& domain_;
  const ServerSettings& settings_;
  const std::string subject_;
  Findings found_;
};

}  // namespace

std::vector<Finding> check_server(const IpAddress& address, std::uint16_t port,
                                  const std::string& domain,
                                  const ServerSettings& settings) {
  return ServerChecks(address, port, domain, settings).run();
}

}  // namespace mxfeed
