// SPDX-License-Identifier: GPL-2.0-or-later
//
// The editor and postconf(1) read the same in a file, before and after an edit.

#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "common/base/process.h"
#include "common/base/text.h"
#include "postfix-conf/postfix/main_cf_text.h"
#include "postfix-conf/postfix/master_cf_text.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

using Strings = std::vector<std::string>;

bool is_ours(std::string_view item) {
  return item.find("$mxfeed_") != std::string_view::npos ||
         item.find("/mxfeed/") != std::string_view::npos;
}

// As postconf prints a value: its words, one blank between them.
std::string words_of(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (!is_space(c)) {
      text += c;
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  return text;
}

std::optional<std::string> printed(const std::optional<std::string>& value) {
  if (!value) return std::nullopt;
  return words_of(*value);
}

// postconf waits for a second when it reads a file that was just written: it may still
// change.
void write_settled(const std::filesystem::path& file, const std::string& text) {
  using std::filesystem::last_write_time;
  write_file(file, text);
  last_write_time(file, last_write_time(file) - std::chrono::minutes(1));
}

class Postconf {
 public:
  // The lines that postconf prints of these files.
  Strings lines(const std::string& main, const std::string& master,
                Strings options) const {
    write_settled(directory_.path() / "main.cf", main);
    write_settled(directory_.path() / "master.cf", master);
    options.insert(options.begin(), {"postconf", "-c", directory_.path().string()});
    Strings lines;
    const auto result = run_command(
        options, "", [&](std::string_view line) { lines.emplace_back(line); });
    CAPTURE(main, master, result.errors);
    CHECK(result.status == 0);
    return lines;
  }

  std::optional<std::string> value(const std::string& main,
                                   const std::string& name) const {
    std::optional<std::string> value;
    for (const auto& line : lines(main, "", {"-n", name})) {
      REQUIRE_FALSE(value);
      REQUIRE(line.substr(0, name.size() + 2) == name + " =");
      value = line.substr(std::min(line.size(), name.size() + 3));
    }
    return value;
  }

  // "smtp/inet/NAME = VALUE"
  Strings options(const std::string& master) const { return lines("", master, {"-P"}); }

 private:
  TempDirectory directory_;
};

bool has_postfix() {
  const auto found =
      run_command({"postconf", "-d", "mail_version"}, "", [](std::string_view) {});
  if (found.status != 127) return true;
  const char* strict = ::getenv("MXFEED_NO_SKIP");
  if (strict != nullptr && std::string_view(strict) != "0") FAIL("postconf is missing");
  WARN("skipped: postconf is missing");
  return false;
}

const std::string kMainFiles[] = {
    "",
    "#\n",
    "\n",
    "relay_domains = a",
    "relay_domains = a\n",
    "relay_domains=a,b\nmyhostname = x.example\n",
    "relay_domains =\n",
    "relay_domains =",
    "relay_domains\n\t=\n\ta\n",
    "relay_domains = a,\n  b,\n\tc\n",
    "relay_domains = a,\n# no end\n  b\n",
    "relay_domains = a,\n  # no end either\n\n \t \n  b\n# end\n\nmyhostname = "
    "x.example\n",
    "relay_domains = a\n# x\nmyhostname = x.example\n  y\n",
    "relay_domains = a\nrelay_domains = b\n",
    "relay_domains = a\nmyhostname = x.example\nrelay_domains = b\n  c\n#z",
    "  relay_domains = a\n",
    "# x\n  relay_domains = a\n  b\nmyhostname = x.example\n",
    "myhostname = x.example\n  relay_domains = a\n",
    "relay_domains = a\r\n  b\r\nmyhostname = x.example\r\n",
    "relay_domains = a\r\n\r\n#\r\n  b\r\n\r\n",
    "\trelay_domains = a\nrelay_domains = b",
    "relay_domains = a \t \n \t b \t ",
    "relay_domains = a\v\f\n\fb\n",
    "relay_domains = { a, b } ${mynetworks?{c = d}:{e}}\n",
    "relay_domains = { a\n# x\n  b }\n",
    "relay_domains = a # b\n  #c\n  d#\n",
    "relay_domains = a\\\n  b\n",
    "relay_domains = a\\\nmyhostname = x.example\n",
    std::string("relay_domains = a") + '\0' + "b\n  c\nmyhostname = x.example\n",
    "relay_domains = \"a b\", 'c'\n",
    "relay_domains = b\xC3\xBC"
    "cher.example, \xFF\xFE\n",
    "#relay_domains = a\n# relay_domains = b\n ",
    "relay_domains = a = b\n",
    "relay_domains = if x\nmyhostname = if.example\n",
    "relay_domains = a\n\n\n\n",
    "relay_domains = a\n  \n#\n\t#\n",
    "relay_domains = a\n.\n",
    "Relay_Domains = a\n",
};

TEST_CASE("a value is what postconf reads, before and after an edit", "[postfix]") {
  if (!has_postfix()) return;
  const Postconf postconf;
  const std::string name = "relay_domains";
  for (const auto& text : kMainFiles) {
    CAPTURE(text);
    // Postfix refuses it.
    if (text.find("\n.\n") != std::string::npos) {
      CHECK(MainCf(text, is_ours).value(name) == "a");
      continue;
    }
    MainCf main(text, is_ours);
    const auto site = main.value(name);
    const auto host = postconf.value(text, "myhostname");
    CHECK(printed(site) == postconf.value(text, name));
    CHECK(printed(main.value("myhostname")) == host);
    const std::string wanted = site.value_or("x") + ", cdb:/s/mxfeed/relay_domains";
    main.set(name, wanted);
    main.set("mxfeed_smtpd_milters",
             "{ unix:mxfeed/virus.sock, default_action=tempfail }");
    main.set("smtpd_milters", "$mxfeed_smtpd_milters");
    CHECK(main.value(name) == wanted);
    CHECK(postconf.value(main.text(), name) == words_of(wanted));
    CHECK(postconf.value(main.text(), "mxfeed_smtpd_milters") ==
          printed(main.value("mxfeed_smtpd_milters")));
    CHECK(postconf.value(main.text(), "myhostname") == host);
    // Changed by postconf itself.
    const auto edited = [&](const std::string& option, const std::string& argument) {
      TempDirectory directory;
      write_settled(directory.path() / "main.cf", main.text());
      write_settled(directory.path() / "master.cf", "");
      const auto result =
          run_command({"postconf", "-c", directory.path().string(), option, argument}, "",
                      [](std::string_view) {});
      CHECK(result.status == 0);
      return MainCf(*read_file(directory.path() / "main.cf"), is_ours);
    };
    auto added = edited("-e", name + " = " + wanted + " h:/new");
    CHECK(added.value(name) == wanted + " h:/new");
    added.take_back(name);
    CHECK(printed(added.value(name)) == postconf.value(added.text(), name));
    CHECK(added.value(name) == site.value_or("x") + ", h:/new");
    auto same = edited("-e", name + " = " + wanted);
    for (const auto& one : same.ours()) same.take_back(one);
    if (site && std::count(text.begin(), text.end(), '=') == 1)
      CHECK(same.text() == text);
    auto removed = edited("-X", name);
    CHECK(removed.value(name) == std::nullopt);
    for (const auto& one : removed.ours()) removed.take_back(one);
    CHECK(removed.ours().empty());
    CHECK(postconf.value(removed.text(), name) == std::nullopt);

    for (const auto& one : main.ours()) main.take_back(one);
    CHECK(main.text() == text);
  }
}

const std::string kMasterFiles[] = {
    "smtp inet n - y - - smtpd",
    "smtp inet n - y - - smtpd\n",
    "smtp inet n - y - - smtpd\n  -o content_filter=x:y\n",
    "smtp inet n - y - - smtpd\n# x\n\n  -o content_filter=x:y\n\t-o "
    "smtpd_milters=unix:z\n#",
    "smtp inet n - y - - smtpd -v\n#smtp inet n - y - - smtpd\n#  -o x=y\npickup unix n "
    "- y "
    "60 1 pickup\n",
    "smtp inet n - y - - smtpd -o { content_filter = x, y } -o smtpd_milters={ unix:a "
    "b=c }\n",
    "smtp inet n - y - - smtpd -vo content_filter=x -o smtpd_milters=\n",
    "smtp\tinet\tn\t-\ty\t-\t-\tsmtpd\r\n  -o content_filter=x:y\r\n\r\n",
    "  -o content_filter=x\nsmtp inet n - y - - smtpd\n",
    "smtp inet n - y - - smtpd\n -o content_filter=x\n -o content_filter=y\n",
    "smtp inet n - y\n  - - smtpd -o\n  content_filter=z\n",
    "smtp inet n - y - - smtpd -o content_filter=a\vb\n",
    "smtp inet n - y - - smtpd -o { content_filter = { a b } c }\n\n#\n",
};

Strings options_of(const MasterCf& master) {
  Strings lines;
  for (const auto& service : master.services()) {
    for (const auto& [name, value] : service.options) {
      const auto text = words_of(value);
      lines.push_back(service.name + "/" + name + (text.empty() ? " =" : " = " + text));
    }
  }
  return lines;
}

TEST_CASE("options are what postconf reads, before and after an edit", "[postfix]") {
  if (!has_postfix()) return;
  const Postconf postconf;
  for (const auto& text : kMasterFiles) {
    CAPTURE(text);
    MasterCf master(text, is_ours);
    const auto site = postconf.options(text);
    CHECK(options_of(master) == site);
    master.add_options("smtp/inet", {{"smtpd_milters", "$mxfeed_smtpd_milters"},
                                     {"smtpd_soft_error_limit", "51"},
                                     {"smtpd_client_restrictions", "permit { x, y } z"}});
    master.add_service("mxfeed-relay unix - - y - - smtp -o smtp_bind_address=192.0.2.1");
    const auto read = postconf.options(master.text());
    CHECK(read == options_of(master));
    CHECK(std::find(read.begin(), read.end(),
                    "smtp/inet/smtpd_milters = $mxfeed_smtpd_milters") != read.end());
    for (const auto& one : master.ours()) master.take_back(one);
    CHECK(master.text() == text);

    // postconf writes the service anew, and the comments before it.  It writes the
    // service into a last comment that has no end of line.
    if (text.ends_with('#')) continue;
    master.add_options("smtp/inet", {{"smtpd_milters", "$mxfeed_smtpd_milters"}});
    TempDirectory directory;
    write_settled(directory.path() / "main.cf", "");
    write_settled(directory.path() / "master.cf", master.text());
    CHECK(run_command({"postconf", "-c", directory.path().string(), "-P",
                       "smtp/inet/smtpd_client_message_rate_limit=1"},
                      "", [](std::string_view) {})
              .status == 0);
    MasterCf edited(*read_file(directory.path() / "master.cf"), is_ours);
    CAPTURE(edited.text());
    const auto& options = options_of(edited);
    REQUIRE(std::find(options.begin(), options.end(),
                      "smtp/inet/smtpd_milters = $mxfeed_smtpd_milters") !=
            options.end());
    const auto once = edited.text();
    edited.add_options("smtp/inet", {{"smtpd_milters", "$mxfeed_smtpd_milters"}});
    CHECK(edited.text() == once);
    edited.take_back("smtp/inet");
    CHECK(edited.ours().empty());
    CHECK(edited.services()[0].options.at("smtpd_client_message_rate_limit") == "1");
    CHECK(edited.text().find("mxfeed") == std::string::npos);
  }
}

}  // namespace
}  // namespace mxfeed
