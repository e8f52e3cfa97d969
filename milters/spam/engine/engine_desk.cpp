// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/engine/engine_desk.h"

#include <fmt/format.h>

#include "common/base/fault.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/net/exchange.h"
#include "common/net/http.h"

namespace mxfeed::spam {
namespace {

using std::chrono::steady_clock;

// Where they listen in Debian.
constexpr const char* kRspamd = "127.0.0.1:11333";
constexpr const char* kSpamd = "127.0.0.1:783";

ServerAddress server_of(const GatewayPolicy::Spam& spam) {
  const char* const usual = spam.engine == SpamEngine::rspamd ? kRspamd : kSpamd;
  const auto given = ServerAddress::parse(spam.engine_server);
  return given ? *given : *ServerAddress::parse(usual);
}

std::optional<EngineAnswer> ask_rspamd(const GatewayPolicy::Spam& spam,
                                       const EngineQuestion& question) {
  const ServerAddress server = server_of(spam);
  http::Question request;
  request.url =
      fmt::format("http://{}/checkv2", server.is_unix() ? "localhost" : server.str());
  if (server.is_unix()) request.unix_socket = server.host();
  request.fields = rspamd_fields(question);
  request.body = question.message;
  request.most = kMostAnswer;
  request.patience = spam.engine_timeout;
  return parse_rspamd(http::post(request));
}

std::optional<EngineAnswer> ask_spamd(const GatewayPolicy::Spam& spam,
                                      const EngineQuestion& question) {
  return parse_spamd(exchange(server_of(spam), spamd_request(question), kMostAnswer,
                              steady_clock::now() + spam.engine_timeout));
}

void count(const char* result) {
  counter("mxfeed_spam_engine_total", fmt::format(R"(result="{}")", result)).add();
}

}  // namespace

std::variant<EngineAnswer, std::string> EngineDesk::ask(const GatewayPolicy::Spam& spam,
                                                        const EngineQuestion& question) {
  if (question.message.size() > kMostForEngine) {
    count("too-large");
    return "too-large";
  }
  if (!breaker_.allows(steady_clock::now())) {
    count("resting");
    return "resting";
  }
  std::string problem = "the answer is malformed";
  try {
    auto answer = spam.engine == SpamEngine::rspamd ? ask_rspamd(spam, question)
                                                    : ask_spamd(spam, question);
    if (answer) {
      breaker_.succeeded();
      count("answered");
      return *std::move(answer);
    }
  } catch (const Fault& fault) {
    problem = fault.what();
  }
  count("failed");
  if (breaker_.failed(steady_clock::now())) {
    log(Severity::warning, LogFields()
                               .add("event", "engine")
                               .add("engine", to_string(spam.engine))
                               .add("fault", problem)
                               .add("not_asked_for", "30s"));
  }
  return "failed";
}

}  // namespace mxfeed::spam
