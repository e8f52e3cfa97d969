// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/queue/alerts.h"

#include "common/base/file.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

constexpr Time kNow(std::chrono::seconds(1'790'000'000));

TEST_CASE("an alert is a JSON object", "[postfix-conf]") {
  CHECK(alert_json({"brake", "", "120 messages"}, "mx1.isp.example", kNow) ==
        R"({"time": "2026-09-21T14:13:20Z", "host": "mx1.isp.example", "kind": "brake", )"
        R"("domain": null, "text": "120 messages"})");
}

TEST_CASE("a program gets the alert on standard input", "[postfix-conf]") {
  const TempDirectory directory;
  const auto file = directory.path() / "alert";
  AlertChannels channels;
  CHECK(send_alert(channels, "{}").empty());
  channels.command = {"/bin/sh", "-c", "cat > \"$0\"", file.string()};
  CHECK(send_alert(channels, "{\"kind\": \"brake\"}").empty());
  CHECK(read_file(file) == "{\"kind\": \"brake\"}\n");
}

TEST_CASE("channels that do not work are told", "[postfix-conf]") {
  AlertChannels channels;
  channels.command = {"/bin/sh", "-c", "echo no route >&2; exit 3"};
  // Nothing listens on port 1.
  channels.webhook = "http://127.0.0.1:1/secret";
  const auto problems = send_alert(channels, "{}");
  REQUIRE(problems.size() == 2);
  CHECK(problems[0] == "/bin/sh: status 3: no route");
  CHECK(problems[1].starts_with("webhook: "));
  CHECK(problems[1].find("secret") == std::string::npos);
  channels.command = {"/nonexistent/alert"};
  channels.webhook = "file:///etc/passwd";
  CHECK(send_alert(channels, "{}").size() == 2);
}

}  // namespace
}  // namespace mxfeed
