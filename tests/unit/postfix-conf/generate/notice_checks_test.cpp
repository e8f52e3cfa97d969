// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/notice_checks.h"

#include <fmt/format.h>
#include <regex.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/text.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

constexpr std::size_t kGroups = 10;

// A rule as dict_regexp.c applies it.
class Rule {
 public:
  explicit Rule(const NoticeRule& rule) : action_(rule.action) {
    REQUIRE(::regcomp(&regex_, rule.pattern.c_str(), REG_EXTENDED | REG_ICASE) == 0);
  }
  ~Rule() { ::regfree(&regex_); }
  Rule(const Rule&) = delete;
  Rule& operator=(const Rule&) = delete;

  // The action with its groups filled in.
  std::optional<std::string> match(const std::string& line) const {
    std::array<regmatch_t, kGroups> groups{};
    if (::regexec(&regex_, line.c_str(), groups.size(), groups.data(), 0) != 0) {
      return std::nullopt;
    }
    std::string text;
    for (std::size_t i = 0; i < action_.size(); ++i) {
      if (action_[i] != '$') {
        text += action_[i];
        continue;
      }
      const auto& group = groups.at(static_cast<std::size_t>(action_.at(++i) - '0'));
      // mac_expand.c: letters would belong to the name.
      REQUIRE((i + 1 == action_.size() || !is_letter(action_[i + 1])));
      if (group.rm_so < 0) continue;
      text += line.substr(static_cast<std::size_t>(group.rm_so),
                          static_cast<std::size_t>(group.rm_eo - group.rm_so));
    }
    return text;
  }

 private:
  regex_t regex_{};
  const std::string action_;
};

const std::vector<std::unique_ptr<Rule>>& rules() {
  static const auto all = [] {
    std::vector<std::unique_ptr<Rule>> made;
    for (const auto& one : notice_rules()) made.push_back(std::make_unique<Rule>(one));
    return made;
  }();
  return all;
}

// A line as cleanup(8) leaves it; nothing if it drops it.
std::optional<std::string> checked(const std::string& line) {
  constexpr std::string_view kReplace = "REPLACE ";
  for (const auto& rule : rules()) {
    const auto action = rule->match(line);
    if (!action) continue;
    if (*action == "IGNORE") return std::nullopt;
    REQUIRE(action->starts_with(kReplace));
    return std::string(trim(action->substr(kReplace.size())));
  }
  return line;
}

// line_wrap.c with the lengths of bounce_notify_util.c.
std::vector<std::string> wrapped(const std::string& text) {
  constexpr std::size_t kLength = 79;
  constexpr std::size_t kIndent = 4;
  std::vector<std::string> lines;
  std::string line;
  for (const auto word : split(text, ' ')) {
    const std::size_t room = lines.empty() ? kLength : kLength - kIndent;
    if (!line.empty() && line.size() + 1 + word.size() > room) {
      lines.push_back((lines.empty() ? "" : std::string(kIndent, ' ')) + line);
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
  }
  lines.push_back((lines.empty() ? "" : std::string(kIndent, ' ')) + line);
  return lines;
}

std::vector<std::string> notice(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto& line : wrapped(text)) {
    if (auto left = checked(line)) lines.push_back(*std::move(left));
  }
  return lines;
}

// The fields of a part for programs (RFC 3464, 2.1.1), unfolded.
std::vector<std::string> fields(const std::vector<std::string>& lines) {
  std::vector<std::string> all;
  for (const auto& line : lines) {
    CAPTURE(line);
    if (line.starts_with("    ")) {
      REQUIRE_FALSE(all.empty());
      all.back() += " " + std::string(trim(line));
      continue;
    }
    const auto colon = line.find(": ");
    REQUIRE(colon != std::string::npos);
    REQUIRE(line.substr(0, colon).find(' ') == std::string::npos);
    all.push_back(line);
  }
  return all;
}

struct LineCase {
  const char* name;
  std::string before, after;  // `after` is "" if the line is dropped
};

const LineCase kLines[] = {
    {"a refusal",
     "<info@acme.example>: host mail.acme.example[203.0.113.7] said: 550 5.1.1 No such",
     "<info@acme.example>: host [recipient's server] said: 550 5.1.1 No such"},
    {"a host of IPv6",
     "<info@acme.example>: host m.acme.example[2001:db8::7] said: 550 No",
     "<info@acme.example>: host [recipient's server] said: 550 No"},
    {"an answer that names a client",
     "<a@b.example>: host m.b.example[203.0.113.7] said: 550 you are "
     "x.example[192.0.2.1]",
     "<a@b.example>: host [recipient's server] said: 550 you are x.example[192.0.2.1]"},
    {"an alias",
     "<a@b.example> (expanded from <c@d.example>): host m[203.0.113.7] said: 550 No",
     "<a@b.example> (expanded from <c@d.example>): host [recipient's server] said: 550 "
     "No"},
    {"a recipient with a bracket",
     "<a>b@c.example>: host m.c.example[203.0.113.7] said: 550 No",
     "<a>b@c.example>: host [recipient's server] said: 550 No"},
    {"nobody listens",
     "Diagnostic-Code: X-Postfix; connect to m.b.example[203.0.113.7]:25: Connection",
     "Diagnostic-Code: X-Postfix; connect to [recipient's server]: Connection"},
    {"delivered",
     "<a@b.example>: delivery via m.b.example[203.0.113.7]:25: 250 2.0.0 Ok: queued",
     "<a@b.example>: delivery via [recipient's server]: 250 2.0.0 Ok: queued"},
    {"delivered, wrapped", "    m.b.example[203.0.113.7]:25: 250 2.0.0 Ok: queued as 4X1",
     "X-Reason: [recipient's server]: 250 2.0.0 Ok: queued as 4X1"},
    {"the server", "Remote-MTA: dns; mail.acme.example", ""},
    {"no address",
     "<a@b.example>: Host or domain name not found. Name service error for "
     "name=m.b.example type=A: Host not found",
     "<a@b.example>: Host or domain name not found. Name service error for [recipient's "
     "server] type=A: Host not found"},
    {"a loop",
     "<a@b.example>: mail for [m.b.example]:25, [n.b.example]:25 loops back to myself",
     "<a@b.example>: mail for [recipient's server] loops back to myself"},
};

TEST_CASE("the server of a recipient is taken out of a notice", "[postfix-conf]") {
  for (const auto& c : kLines) {
    INFO(c.name);
    CHECK(checked(c.before).value_or("") == c.after);
  }
}

TEST_CASE("other lines of a notice stay as they are", "[postfix-conf]") {
  for (const std::string line : {
           "",
           "This is the mail system at host mx1.isp.example.",
           "Reporting-MTA: dns; mx1.isp.example",
           "Final-Recipient: rfc822; info@acme.example",
           "Diagnostic-Code: smtp; 550 5.7.1 Client host mx1.isp.example[192.0.2.1]",
           "    unknown[198.51.100.7]: Client host rejected",
           "    rejected: cannot find your hostname, [192.0.2.1] (in reply to RCPT TO",
           "<info@acme.example>: host",
           // The message that comes back.
           "host mail.acme.example[203.0.113.7] said: 550 No",
           "> connect to mail.acme.example[203.0.113.7]:25: Connection refused",
           "    name = value",
           "    name=value",
           "    see [1] and [2]",
           "Remote-MTA: dns; see above",
           "Received: from m.b.example (m.b.example [203.0.113.7])",
       }) {
    CAPTURE(line);
    CHECK(checked(line) == line);
  }
}

// What smtp(8) and qmgr(8) say, with the place of the server.
constexpr const char* kReasons[] = {
    "connect to {}:25: Connection refused",
    "lost connection with {} while receiving the initial server greeting",
    "conversation with {} timed out while receiving the initial server greeting",
    "TLS is required, but was not offered by host {}",
    "SMTPUTF8 is required, but was not offered by host {}",
    "message size 5000 exceeds size limit 4000 of server {}",
    "host {} refused to talk to me: 421 4.3.2 Service not available",
    "host {} said: 450 4.1.1 <info@b.example>: Recipient address rejected: the list of "
    "recipients is not available at present (in reply to RCPT TO command)",
};
constexpr const char* kNames[] = {
    "Host or domain name not found. Name service error for name={} type=A: Host not "
    "found",
    "Error looking up name={} type=A: DNS reply filter drops all results",
};

// All that a notice with this reason says, for the parts of people and of programs.
void check_reason(const std::string& pattern, const std::string& server,
                  const std::string& recipient) {
  const std::string reason = fmt::format(fmt::runtime(pattern), server);
  CAPTURE(server, recipient, reason);
  for (const char* const suspended : {"", "delivery temporarily suspended: "}) {
    const auto read = [&](const std::string& begins) {
      const auto lines = notice(begins + suspended + reason);
      std::string all;
      for (const auto& line : lines) all += std::string(trim(line)) + " ";
      CAPTURE(all);
      CHECK(all.find("203.0.113.7") == std::string::npos);
      CHECK(all.find("acme") == std::string::npos);
      // What follows the server is the cause.
      const auto after = pattern.find("{}") + 2;
      const auto cause = pattern.substr(pattern.find_first_of(" ", after) + 1);
      if (pattern.find(' ', after) != std::string::npos) {
        CHECK(all.find(cause) != std::string::npos);
      }
      return lines;
    };
    const auto people = read(fmt::format("<{}>: ", recipient));
    CHECK(people.front().starts_with(fmt::format("<{}>:", recipient)));
    const auto programs = fields(read("Diagnostic-Code: X-Postfix; "));
    constexpr std::size_t kLine = 60;  // of which the cause is not in the next one
    CHECK((programs.front().starts_with("Diagnostic-Code: X-Postfix; ") ||
           server.size() > kLine));
    for (std::size_t i = 1; i < programs.size(); ++i) {
      CHECK(programs[i].starts_with("X-Reason: "));
    }
  }
}

TEST_CASE("no name is too long to be hidden, and its reason stays", "[postfix-conf]") {
  constexpr std::size_t kLongest = 200;
  for (std::size_t length = 1; length < kLongest; length += 3) {
    std::string name = "acme";
    while (name.size() < length) name += name.size() % 20 == 0 ? '.' : 'x';
    name += ".example";
    for (const std::size_t local : {1U, 9U, 20U, 31U, 42U, 53U, 64U}) {
      const std::string recipient = std::string(local, 'u') + "@a.example";
      for (const auto* const reason : kReasons) {
        check_reason(reason, name + "[203.0.113.7]", recipient);
      }
      for (const auto* const reason : kNames) check_reason(reason, name, recipient);
    }
    CAPTURE(name);
    CHECK(notice("Remote-MTA: dns; " + name).empty());
  }
}

TEST_CASE("a dollar of the rules is doubled in main.cf", "[postfix-conf]") {
  const auto table = notice_checks();
  CHECK(table.starts_with("regexp:{{/^Remote-MTA: dns;( [^ ]+)?$$/ IGNORE} {/"));
  CHECK(table.ends_with("}}"));
  for (std::size_t at = table.find('$'); at != std::string::npos;
       at = table.find('$', at + 2)) {
    CHECK(table.at(at + 1) == '$');
  }
  CHECK(table.find('\n') == std::string::npos);
}

}  // namespace
}  // namespace mxfeed
