// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/milter/libmilter.h"

#include <libmilter/mfapi.h>
#include <sys/socket.h>

#include <memory>

#include "common/base/text.h"
#include "common/milter/listener.h"
#include "common/milter/session.h"
#include "common/milter/session_loss.h"
#include "common/milter/session_threads.h"
#include "common/milter/step_guard.h"
#include "common/milter/wire_text.h"

namespace mxfeed {
namespace {

constexpr int kBacklog = 1024;

Milter* milter = nullptr;
bool answers_recipients = false;
std::string milter_name;
std::string listens_at;

// What libmilter keeps for us, a session's lifetime.
struct Peer {
  Session session{*milter, milter_name};
  bool leading_space = false;  // values include the space after ':'
  bool sees_refused = false;   // recipients that Postfix has refused are sent too
  StepGuard guard;
};

// libmilter's strings are not const.
char* mutable_text(const std::string& text) {
  return const_cast<char*>(text.c_str());
}

std::string_view text_or_empty(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

std::string_view macro(SMFICTX* context, const char* name) {
  return text_or_empty(smfi_getsymval(context, const_cast<char*>(name)));
}

sfsistat answer(SMFICTX* context, const Verdict& verdict) {
  const auto reply = [&] {
    smfi_setreply(context, mutable_text(std::to_string(verdict.code())),
                  mutable_text(std::string(verdict.enhanced_code())),
                  mutable_text(reply_text(verdict.text())));
  };
  switch (verdict.action()) {
    case Action::proceed:
      return SMFIS_CONTINUE;
    case Action::defer:
      reply();
      return SMFIS_TEMPFAIL;
    case Action::reject:
      reply();
      return SMFIS_REJECT;
    case Action::discard:
      return SMFIS_DISCARD;
  }
  return SMFIS_TEMPFAIL;
}

class LibmilterSink : public EditSink {
 public:
  LibmilterSink(SMFICTX* context, bool leading_space)
      : context_(context), leading_space_(leading_space) {}

  bool edit(const HeaderEdit& edit) override {
    const std::string value = field_value(edit.value, leading_space_);
    char* const name = mutable_text(edit.name);
    switch (edit.kind) {
      case HeaderEdit::Kind::insert_first:
        return smfi_insheader(context_, 0, name, mutable_text(value)) == MI_SUCCESS;
      case HeaderEdit::Kind::append:
        return smfi_addheader(context_, name, mutable_text(value)) == MI_SUCCESS;
      case HeaderEdit::Kind::replace:
        return smfi_chgheader(context_, name, static_cast<int>(edit.index),
                              mutable_text(value)) == MI_SUCCESS;
      case HeaderEdit::Kind::remove:
        return smfi_chgheader(context_, name, static_cast<int>(edit.index), nullptr) ==
               MI_SUCCESS;
    }
    return false;
  }
  bool add_recipient(const std::string& address) override {
    return smfi_addrcpt(context_, mutable_text('<' + address + '>')) == MI_SUCCESS;
  }
  bool remove_recipient(const std::string& address) override {
    return smfi_delrcpt(context_, mutable_text('<' + address + '>')) == MI_SUCCESS;
  }
  bool quarantine(const std::string& reason) override {
    return smfi_quarantine(context_, mutable_text(reason)) == MI_SUCCESS;
  }
  void progress() override { smfi_progress(context_); }

 private:
  SMFICTX* context_;
  bool leading_space_;
};

// Runs a step with the session.  `lost` is the answer if the step fails.  Where Postfix
// was told not to wait, that must be no reply: Postfix would take any reply as the answer
// to a later step, and all later answers would be off by one.  A client that has not
// negotiated is no mail server that we understand: nothing passes.
template <typename Step>
sfsistat guard(SMFICTX* context, sfsistat lost, const Step& step) noexcept {
  auto* const peer = static_cast<Peer*>(smfi_getpriv(context));
  if (peer == nullptr) return lost == SMFIS_NOREPLY ? lost : SMFIS_TEMPFAIL;
  sfsistat status = lost;
  return peer->guard.run([&] { status = step(*peer); }) ? status : lost;
}

// Where Postfix waits for an answer.  Without a text, which might not be made either.
sfsistat answer_without_session() noexcept {
  return milter->passes_without_session() ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}

unsigned long wanted_actions(const Needs& needs) {
  unsigned long actions = SMFIF_NONE;
  if (needs.edits) actions |= SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE;
  if (needs.recipient_edits) actions |= SMFIF_ADDRCPT | SMFIF_DELRCPT;
  return actions;
}

unsigned long wanted_protocol(const Needs& needs) {
  unsigned long steps = SMFIP_NOUNKNOWN | SMFIP_NR_CONN | SMFIP_NR_MAIL;
  steps |= needs.helo ? SMFIP_NR_HELO : SMFIP_NOHELO;
  if (!needs.recipient_verdict) steps |= needs.recipients ? SMFIP_NR_RCPT : SMFIP_NORCPT;
  if (needs.refused_recipients) steps |= SMFIP_RCPT_REJ;
  // Postfix's smtpd always sends the macros of DATA and then hands the connection to
  // cleanup.  Over TCP, without an answer from us, cleanup's data waits for our delayed
  // ACK of these macros, 40 ms a message.  So it is quicker to answer.
  const bool answer_data =
      needs.data_verdict || (milter_listener().is_tcp() && (needs.headers || needs.body));
  if (!answer_data) steps |= SMFIP_NODATA;
  // After DATA libmilter ignores the body of a message without a header, and its end, so
  // that Postfix waits in vain: unless the end of the header was announced.
  steps |= answer_data ? SMFIP_NR_EOH : SMFIP_NOEOH;
  steps |= needs.headers ? SMFIP_NR_HDR | SMFIP_HDR_LEADSPC : SMFIP_NOHDRS;
  steps |= needs.body ? SMFIP_NR_BODY : SMFIP_NOBODY;
  return steps;
}

const char* recipient_macros(const Needs& needs) {
  if (needs.refused_recipients) return "i {rcpt_addr} {rcpt_mailer} {rcpt_host}";
  return needs.recipient_verdict ? "i {rcpt_addr} {rcpt_mailer}"
                                 : "{rcpt_addr} {rcpt_mailer}";
}

sfsistat on_negotiate(SMFICTX* context, unsigned long actions, unsigned long steps,
                      unsigned long, unsigned long, unsigned long* use_actions,
                      unsigned long* use_steps, unsigned long* use_f2,
                      unsigned long* use_f3) {
  try {
    auto peer = std::make_unique<Peer>();
    const Needs& needs = peer->session.needs();
    const unsigned long want = wanted_actions(needs);
    if ((actions & want) != want) {
      log(Severity::error,
          LogFields()
              .add("milter", milter_name)
              .add("event", "negotiate")
              .add("fault", "the mail server does not allow milters to edit messages"));
      return SMFIS_REJECT;
    }
    *use_actions = want | (actions & SMFIF_SETSYMLIST);
    *use_steps = wanted_protocol(needs) & steps;
    *use_f2 = *use_f3 = 0;
    peer->leading_space = (*use_steps & SMFIP_HDR_LEADSPC) != 0;
    peer->sees_refused = (*use_steps & SMFIP_RCPT_REJ) != 0;
    if ((actions & SMFIF_SETSYMLIST) != 0) {
      // Postfix would take an empty list for none and send its usual macros.
      constexpr const char* kNone = "{mxfeed_none}";
      const auto ask = [&](int stage, const char* names) {
        smfi_setsymlist(context, stage, const_cast<char*>(names));
      };
      ask(SMFIM_CONNECT, kNone);
      ask(SMFIM_HELO, kNone);
      ask(SMFIM_ENVFROM, "{auth_type} {auth_authen}");
      ask(SMFIM_ENVRCPT, recipient_macros(needs));
      ask(SMFIM_DATA, needs.data_verdict ? "i" : kNone);
      ask(SMFIM_EOH, kNone);  // Postfix sends these with each header field too
      ask(SMFIM_EOM, "i");
    }
    if (smfi_setpriv(context, peer.get()) != MI_SUCCESS) return SMFIS_REJECT;
    static_cast<void>(peer.release());  // deleted by on_close
    return SMFIS_CONTINUE;
  } catch (...) {
    report(SessionLoss::memory);
    return SMFIS_REJECT;  // Postfix acts as default_action says
  }
}

sfsistat on_connect(SMFICTX* context, char* name, sockaddr* address) {
  return guard(context, SMFIS_NOREPLY, [&](Peer& peer) {
    Client client{IpAddress::from_socket(address), std::string(text_or_empty(name))};
    // Postfix writes "[192.0.2.1]" or "unknown" for a client without a confirmed name.
    if (client.name.starts_with('[') || client.name == "unknown") client.name.clear();
    peer.session.connect(std::move(client));
    return SMFIS_NOREPLY;
  });
}

sfsistat on_helo(SMFICTX* context, char* name) {
  return guard(context, SMFIS_NOREPLY, [&](Peer& peer) {
    peer.session.helo(text_or_empty(name));
    return SMFIS_NOREPLY;
  });
}

sfsistat on_mail(SMFICTX* context, char** arguments) {
  return guard(context, SMFIS_NOREPLY, [&](Peer& peer) {
    MailOptions options;
    options.authenticated = !macro(context, "{auth_type}").empty() ||
                            !macro(context, "{auth_authen}").empty();
    for (char** one = arguments; *one != nullptr; ++one) {
      if (one == arguments) continue;
      // RFC 6531, 3.1: a parameter without a value.  RFC 1870, 4: a number of octets.
      constexpr std::string_view kSize = "SIZE=";
      const std::string_view parameter = *one;
      if (iequals(parameter, "SMTPUTF8")) options.smtputf8 = true;
      if (istarts_with(parameter, kSize)) {
        options.size = parse_unsigned(parameter.substr(kSize.size())).value_or(0);
      }
    }
    peer.session.mail(text_or_empty(arguments[0]), options);
    return SMFIS_NOREPLY;
  });
}

sfsistat on_rcpt(SMFICTX* context, char** arguments) {
  const bool answered = answers_recipients;
  return guard(
      context, answered ? answer_without_session() : SMFIS_NOREPLY, [&](Peer& peer) {
        peer.session.set_queue_id(macro(context, "i"));
        const auto transport = macro(context, "{rcpt_mailer}");
        // Then {rcpt_host} is the status and {rcpt_addr} the text of the reply.
        if (peer.sees_refused && transport == "error") {
          peer.session.refused_recipient(text_or_empty(arguments[0]),
                                         macro(context, "{rcpt_host}"));
          return answered ? SMFIS_CONTINUE : SMFIS_NOREPLY;
        }
        const Verdict verdict = peer.session.recipient(
            text_or_empty(arguments[0]), macro(context, "{rcpt_addr}"), transport);
        return answered ? answer(context, verdict) : SMFIS_NOREPLY;
      });
}

sfsistat on_data(SMFICTX* context) {
  return guard(context, answer_without_session(), [&](Peer& peer) {
    peer.session.set_queue_id(macro(context, "i"));
    const sfsistat status = answer(context, peer.session.data());
    // Accept ends the work of this milter on the message; other milters continue.
    return status == SMFIS_CONTINUE && !peer.session.in_transaction() ? SMFIS_ACCEPT
                                                                      : status;
  });
}

sfsistat on_header(SMFICTX* context, char* name, char* value) {
  return guard(context, SMFIS_NOREPLY, [&](Peer& peer) {
    peer.session.header(text_or_empty(name), text_or_empty(value));
    return SMFIS_NOREPLY;
  });
}

sfsistat on_end_of_header(SMFICTX*) {
  return SMFIS_NOREPLY;
}

sfsistat on_body(SMFICTX* context, unsigned char* chunk, std::size_t size) {
  return guard(context, SMFIS_NOREPLY, [&](Peer& peer) {
    peer.session.body({reinterpret_cast<const std::byte*>(chunk), size});
    return SMFIS_NOREPLY;
  });
}

sfsistat on_end(SMFICTX* context) {
  return guard(context, answer_without_session(), [&](Peer& peer) {
    peer.session.set_queue_id(macro(context, "i"));
    LibmilterSink sink(context, peer.leading_space);
    return answer(context, peer.session.end(sink));
  });
}

sfsistat on_abort(SMFICTX* context) {
  return guard(context, SMFIS_CONTINUE, [](Peer& peer) {
    peer.session.abort();
    return SMFIS_CONTINUE;
  });
}

sfsistat on_close(SMFICTX* context) {
  const std::unique_ptr<Peer> peer(static_cast<Peer*>(smfi_getpriv(context)));
  smfi_setpriv(context, nullptr);
  return SMFIS_CONTINUE;
}

}  // namespace

void open_milter(Milter& to_serve, const std::string& name, const std::string& socket) {
  milter = &to_serve;
  answers_recipients = milter->needs().recipient_verdict;
  milter_name = name;
  listens_at = socket;
  std::string program = "mxfeed-" + name;
  smfiDesc description{};
  description.xxfi_name = program.data();
  description.xxfi_version = SMFI_VERSION;
  description.xxfi_flags = wanted_actions(milter->needs());
  description.xxfi_connect = on_connect;
  description.xxfi_helo = on_helo;
  description.xxfi_envfrom = on_mail;
  description.xxfi_envrcpt = on_rcpt;
  description.xxfi_header = on_header;
  description.xxfi_eoh = on_end_of_header;
  description.xxfi_body = on_body;
  description.xxfi_eom = on_end;
  description.xxfi_abort = on_abort;
  description.xxfi_close = on_close;
  description.xxfi_data = on_data;
  description.xxfi_negotiate = on_negotiate;
  if (smfi_register(description) != MI_SUCCESS ||
      smfi_setconn(mutable_text(socket)) != MI_SUCCESS ||
      smfi_setbacklog(kBacklog) != MI_SUCCESS || smfi_opensocket(true) != MI_SUCCESS) {
    fail_to_listen(socket);
  }
  limit_sessions(session_limit(Resources::of_this_process()));
}

void serve_milter() {
  if (smfi_main() != MI_SUCCESS) {
    throw Fault("serve milter", milter_name,
                "libmilter ended, the system log has the cause");
  }
}

void watch_socket() {
  // A socket that was handed to us is the service manager's responsibility.
  if (!listens_at.starts_with("fd:")) milter_listener().watch_path();
}

void keep_reachable() {
  milter_listener().keep_reachable();
}

void close_listeners() {
  milter_listener().close();
}

}  // namespace mxfeed
