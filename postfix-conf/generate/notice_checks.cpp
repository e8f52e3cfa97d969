// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/notice_checks.h"

#include <fmt/format.h>

#include <string_view>

namespace mxfeed {
namespace {

// "mail.acme.example[203.0.113.7]"
constexpr const char* kServer = R"([^] []+\[[0-9a-f:.]+\])";
constexpr const char* kSuspended = "(delivery temporarily suspended: )?";
// What smtp(8) says before a server (smtp_connect.c, smtp_proto.c, smtp_trouble.c) and
// trace(8) before the relay.  Three groups.
constexpr const char* kBefore =
    "(host|connect to|lost connection with|conversation with|local data error while "
    "talking to|delivery via|(TLS|SMTPUTF8) is required, but (was not offered by )?host|"
    "message size [0-9]+ exceeds size limit [0-9]+ of server)";
// Where the server begins the next line.
constexpr const char* kCut = "(connect to|lost connection with|conversation with)";
// bounce_notify_util.c: of a text that is no reply of a server.
constexpr const char* kDiagnostic = "Diagnostic-Code: X-[^;]+; ";
// "<info@acme.example> (expanded from <a@b.example>):".  One group.
constexpr const char* kAddress = R"(<[^>]*>( \(expanded from <[^>]*>\))?:)";
// How a line of either begins.  One group.
constexpr const char* kEither = "(<|Diagnostic-Code: X-)";

class Rules {
 public:
  std::vector<NoticeRule> all() {
    remote_servers();
    diagnostics();
    recipients();
    names();
    wrapped();
    wrapped_names();
    return std::move(rules_);
  }

 private:
  void ignore(std::string pattern) { rules_.push_back({std::move(pattern), "IGNORE"}); }
  // `before` and `after` stand around the server.
  void replace(std::string pattern, std::string_view before, std::string_view after) {
    rules_.push_back({std::move(pattern),
                      fmt::format("REPLACE {}{}{}", before, kHiddenServer, after)});
  }

  // Postfix's own tools read "[ ]{4}" as it stands, unlike four blanks or " {4}".
  void remote_servers() {
    ignore("^Remote-MTA: dns;( [^ ]+)?$");
    // A name that does not fit behind it.
    ignore(R"(^[ ]{4}[a-z0-9._-]{48,}\.[a-z][a-z0-9-]*[a-z0-9]\.?$)");
  }

  void diagnostics() {
    replace(fmt::format("^({}{}{} ){}(:[0-9]+)?(.*)$", kDiagnostic, kSuspended, kBefore,
                        kServer),
            "$1", "$7");
    ignore(fmt::format("^{}{}{}$", kDiagnostic, kSuspended, kCut));
  }

  void recipients() {
    replace(fmt::format("^({} {}{} ){}(:[0-9]+)?(.*)$", kAddress, kSuspended, kBefore,
                        kServer),
            "$1", "$8");
    // An address with a ">" in it.
    replace(fmt::format("^(<.* {} ){}(:[0-9]+)?(.*)$", kBefore, kServer), "$1", "$6");
    // The next line says what it was.
    rules_.push_back({fmt::format("^({}) {}{}$", kAddress, kSuspended, kCut),
                      "REPLACE $1 last delivery attempt:"});
  }

  // Of a host that was looked up, or of a route.
  void names() {
    replace(fmt::format("^({}.*(error for|error looking up) )name=[^ ]+(.*)$", kEither),
            "$1", "$4");
    replace(fmt::format("^({}.*(unable to look up host|no MX host for|TLSA lookup error "
                        "for) )[^ ]*[^ :](:? .*|:)?$",
                        kEither),
            "$1", "$4");
    replace(fmt::format(R"(^({}.*: mail for )\[.*\](:[0-9]+)?( loops.*)?$)", kEither),
            "$1", "$4");
  }

  void wrapped() {
    // A report of delivery, not an attempt that did not reach the server.
    replace(fmt::format("^[ ]{{4}}(.*via )?{}:[0-9]+: (2[0-9][0-9] .*)$", kServer),
            "X-Reason: ", ": $2");
    const auto attempt = [&](std::string_view pattern, std::string_view before,
                             std::string_view after) {
      replace(fmt::format("^[ ]{{4}}{}$", pattern),
              fmt::format("Diagnostic-Code: X-Postfix; {} ", before), after);
    };
    attempt(fmt::format("{}:[0-9]+:( .*)?", kServer), "connect to", ":$1");
    attempt(fmt::format("{} while( .*)?", kServer), "lost connection with", " while$1");
    attempt(fmt::format("{} timed( .*)?", kServer), "conversation with", " timed$1");
    replace(fmt::format("^[ ]{{4}}((.* )?(host|server|to|with|via) )?{}(:[0-9]+.*| (said|"
                        "refused|while|timed).*)?$",
                        kServer),
            "X-Reason: $1", "$4");
  }

  void wrapped_names() {
    replace("^[ ]{4}(.*for |.*up )?name=[^ ]+( type=.*)$", "X-Reason: $1", "$2");
    // The type does not fit behind it.
    replace("^[ ]{4}(.*error for |.*looking up )name=[^ ]+$", "X-Reason: $1", "");
    replace("^[ ]{4}((error )?for |up )?name=[a-z0-9._-]{50,}$", "X-Reason: $1", "");
    replace(R"(^[ ]{4}(.*for )?\[[^] ]+\]:[0-9]+(, .*)?( loops.*)$)", "X-Reason: $1",
            "$3");
  }

  std::vector<NoticeRule> rules_;
};

// postconf(5): "$$" stands for a "$".
std::string escaped(std::string_view text) {
  std::string all;
  for (const char c : text) all += c == '$' ? "$$" : std::string(1, c);
  return all;
}

}  // namespace

std::vector<NoticeRule> notice_rules() {
  return Rules().all();
}

std::string notice_checks() {
  std::string table;
  for (const auto& [pattern, action] : notice_rules()) {
    fmt::format_to(std::back_inserter(table), "{}{{/{}/ {}}}", table.empty() ? "" : " ",
                   escaped(pattern), escaped(action));
  }
  return fmt::format("regexp:{{{}}}", table);
}

}  // namespace mxfeed
