// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/alerts.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <exception>

#include "common/base/json.h"
#include "common/base/process.h"
#include "common/base/text.h"
#include "common/net/http.h"

namespace mxfeed {

std::string alert_json(const Alert& alert, std::string_view host, Time now) {
  return Json::object()
      .set("time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                               fmt::gmtime(now.time_since_epoch().count())))
      .set("host", host)
      .set("kind", alert.kind)
      .set("domain", alert.domain.empty() ? Json() : Json(alert.domain))
      .set("text", alert.text)
      .str();
}

std::vector<std::string> send_alert(const AlertChannels& channels,
                                    const std::string& json) {
  std::vector<std::string> problems;
  const auto attempt = [&](std::string_view what, auto send) {
    try {
      const std::string problem = send();
      if (!problem.empty()) problems.push_back(fmt::format("{}: {}", what, problem));
    } catch (const std::exception& error) {
      problems.push_back(fmt::format("{}: {}", what, error.what()));
    }
  };
  if (!channels.command.empty()) {
    attempt(channels.command.front(), [&] {
      const auto result =
          run_command(channels.command, json + "\n", [](std::string_view) {});
      return result.status == 0
                 ? std::string()
                 : fmt::format("status {}: {}", result.status,
                               escape_untrusted(trim(result.errors).substr(0, 200)));
    });
  }
  if (!channels.webhook.empty()) {
    attempt("webhook", [&] { return http::post_json(channels.webhook, json); });
  }
  return problems;
}

}  // namespace mxfeed
