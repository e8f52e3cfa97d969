// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/master_cf_text.h"

#include <algorithm>

#include "common/base/fault.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using Strings = std::vector<std::string>;

bool is_ours(std::string_view item) {
  return item.find("$mxfeed_") != std::string_view::npos;
}

struct ServiceCase {
  const char* name;
  std::string text;
  // "name command a=b c=d"
  Strings services;
};

const std::string kSmtp = "smtp inet n - y - - smtpd";

const ServiceCase kServices[] = {
    {"no options", kSmtp + "\n", {"smtp/inet smtpd"}},
    {"no final newline", kSmtp, {"smtp/inet smtpd"}},
    {"tabs and CRLF", "smtp\tinet n\t- y - -\tsmtpd -o a=b\r\n", {"smtp/inet smtpd a=b"}},
    {"continued, with comments",
     kSmtp + "\n# c\n\n  -o a=b\n #d\n\t-o c=d\n",
     {"smtp/inet smtpd a=b c=d"}},
    {"fields on two lines", "smtp inet n - y\n  - - smtpd\n", {"smtp/inet smtpd"}},
    {"an option on two lines", kSmtp + " -o\n  a=b\n", {"smtp/inet smtpd a=b"}},
    {"without a blank", kSmtp + " -oa=b\n", {"smtp/inet smtpd a=b"}},
    {"among other options",
     kSmtp + " -v -vo a=b -D -vvoc=d\n",
     {"smtp/inet smtpd a=b c=d"}},
    {"the last one holds", kSmtp + " -o a=b -o a=c\n", {"smtp/inet smtpd a=c"}},
    {"in braces",
     kSmtp + " -o { a = b c , d } -o e={ f g }\n",
     {"smtp/inet smtpd a=b c , d e={ f g }"}},
    {"behind an argument",
     "x unix - n n - - pipe flags=q -o a=b argv=y\n",
     {"x/unix pipe"}},
    {"behind --", kSmtp + " -- -o a=b\n", {"smtp/inet smtpd"}},
    {"twice",
     kSmtp + " -o a=b\n" + kSmtp + " -o a=c\n",
     {"smtp/inet smtpd a=b", "smtp/inet smtpd a=c"}},
    {"too short", "smtp inet n\n" + kSmtp + "\n", {"smtp/inet smtpd"}},
    {"lines that continue nothing", "  -o a=b\n" + kSmtp + "\n", {"smtp/inet smtpd"}},
    {"no assignments", kSmtp + " -o a -o { b } -o c=d -o\n", {"smtp/inet smtpd c=d"}},
};

Strings described(const std::vector<PostfixService>& services) {
  Strings all;
  for (const auto& service : services) {
    auto& text = all.emplace_back(service.name + " " + service.command);
    for (const auto& [name, value] : service.options) text += " " + name + "=" + value;
  }
  return all;
}

TEST_CASE("services and their options are read as Postfix reads them", "[postfix]") {
  for (const auto& c : kServices) {
    DYNAMIC_SECTION(c.name) {
      const MasterCf master(c.text, is_ours);
      CHECK(described(master.services()) == c.services);
      CHECK(described(master.site_services()) == c.services);
      CHECK(master.ours().empty());
    }
  }
}

struct AddCase {
  const char* name;
  std::string before;
  std::string after;  // without the numbers
};

const std::string kBlock =
    "# mxfeed: begin smtp/inet\n  -o smtpd_milters=$mxfeed_smtpd_milters\n"
    "# mxfeed: end\n";

const AddCase kAdds[] = {
    {"behind the line", kSmtp + "\n#x\n", kSmtp + "\n" + kBlock + "#x\n"},
    {"behind the options of the site",
     kSmtp + "\n# c\n  -o smtpd_milters=unix:x\n# d\n\nx unix - - y - - smtp\n",
     kSmtp + "\n# c\n  -o smtpd_milters=unix:x\n" + kBlock +
         "# d\n\nx unix - - y - - smtp\n"},
    {"no final newline", kSmtp, kSmtp + "\n" + kBlock + "# mxfeed: no final newline\n"},
    {"no final newline elsewhere", kSmtp + "\n#x", kSmtp + "\n" + kBlock + "#x"},
    {"twice", kSmtp + "\n" + kSmtp + "\n", kSmtp + "\n" + kBlock + kSmtp + "\n" + kBlock},
    {"CRLF", kSmtp + "\r\n  -o a=b\r\n#x\r\n",
     kSmtp + "\r\n  -o a=b\r\n" + kBlock + "#x\r\n"},
};

std::string without_numbers(std::string text) {
  for (auto& block : cf_blocks(text)) {
    const auto end = text.find('\n', block.begin);
    text.replace(end - 9, 9, 9, '~');
  }
  text.erase(std::remove(text.begin(), text.end(), '~'), text.end());
  return text;
}

const std::vector<ServiceOption> kMilters = {{"smtpd_milters", "$mxfeed_smtpd_milters"}};

TEST_CASE("options are added and taken back", "[postfix]") {
  for (const auto& c : kAdds) {
    DYNAMIC_SECTION(c.name) {
      MasterCf master(c.before, is_ours);
      const auto site = described(master.services());
      master.add_options("smtp/inet", kMilters);
      CHECK(without_numbers(master.text()) == c.after);
      CHECK(master.services()[0].options.at("smtpd_milters") == "$mxfeed_smtpd_milters");
      CHECK(described(master.site_services()) == site);
      CHECK(master.ours() == Strings{"smtp/inet"});
      const auto once = master.text();
      master.add_options("smtp/inet", kMilters);
      CHECK(master.text() == once);
      // Others replace them.
      master.add_options("smtp/inet", {{"smtpd_error_limit", "51"}, {"x", "a, b c"}});
      const auto now = described(master.services())[0];
      CHECK(now.find("mxfeed") == std::string::npos);
      CHECK(now.find("smtpd_error_limit=51") != std::string::npos);
      CHECK(now.find("x=a, b c") != std::string::npos);
      CHECK(master.take_back("smtp/inet") == TakenBack::restored);
      CHECK(master.text() == c.before);
      CHECK(master.take_back("smtp/inet") == TakenBack::nothing);
    }
  }
}

TEST_CASE("services are added and taken back in any order", "[postfix]") {
  const std::string relay = "mxfeed-relay unix - - y - - smtp -o x=y";
  for (const std::string& text : Strings{"", kSmtp, "#x", kSmtp + "\n"}) {
    Strings names = {"mxfeed-relay/unix", "mxfeed-reload/unix", "smtp/inet"};
    do {
      CAPTURE(text, names);
      MasterCf master(text, is_ours);
      master.add_service(relay);
      const bool has_smtp = text.size() > 2;
      if (has_smtp) master.add_options("smtp/inet", kMilters);
      master.add_service("mxfeed-reload unix - - y - 0 discard");
      const auto once = master.text();
      master.add_service(relay);
      CHECK(master.text() == once);
      master.add_service(relay + "z");
      CHECK(described(master.services()).back() == "mxfeed-relay/unix smtp x=yz");
      CHECK(master.services().size() == (has_smtp ? 3u : 2u));
      CHECK(master.site_services().size() == (has_smtp ? 1u : 0u));
      for (const auto& name : names) {
        const bool there = has_smtp || name != "smtp/inet";
        CHECK(master.take_back(name) ==
              (there ? TakenBack::restored : TakenBack::nothing));
      }
      CHECK(master.text() == text);
    } while (std::next_permutation(names.begin(), names.end()));
  }
}

TEST_CASE("the intake of the quarantine is ours by the name that it logs", "[postfix]") {
  const std::string intake =
      "2424 inet n - y - - smtpd -o syslog_name=postfix/mxfeed-quarantine-intake -o x=y";
  const std::string site =
      kSmtp + "\n2525 inet n - y - - smtpd -o syslog_name=postfix/x\n";
  MasterCf master(site, is_ours);
  master.add_service(intake);
  CHECK(master.ours() == Strings{"2424/inet"});
  CHECK(described(master.site_services()) ==
        described(MasterCf(site, is_ours).services()));
  const auto once = master.text();
  master.add_service(intake);
  CHECK(master.text() == once);
  // Without our comments, and continued by the site.
  for (const std::string& more : Strings{"", "  -o c=d\n"}) {
    CAPTURE(more);
    MasterCf bare(site + intake + "\n" + more, is_ours);
    CHECK(bare.take_back("2424/inet") == TakenBack::merged);
    CHECK(bare.text() == site);
    MasterCf continued(once + more, is_ours);
    CHECK(continued.take_back("2424/inet") ==
          (more.empty() ? TakenBack::restored : TakenBack::merged));
    CHECK(continued.text() == site);
    CHECK(continued.ours().empty());
  }
  CHECK(master.take_back("2424/inet") == TakenBack::restored);
  CHECK(master.text() == site);
  for (const char* const line :
       {"2424 inet n - y - - smtpd",
        "2424 inet n - y - - smtpd -o syslog_name=postfix/mxfeed-quarantine-intake2",
        "x unix n - y - - smtpd -o syslog_name=postfix/mxfeed-quarantine-intake"}) {
    CAPTURE(line);
    CHECK_THROWS_AS(master.add_service(line), Fault);
  }
}

struct ChangeCase {
  const char* name;
  const char* from;  // what the site changes; nullptr: it adds at the end
  const char* to;
  TakenBack smtp;
  TakenBack relay;
  std::string after;
  bool comments_lost = false;
};

// Of a text with smtp/inet, opt/unix and mxfeed-relay/unix.
const ChangeCase kChanges[] = {
    {"an option added behind ours", "end\nopt", "end\n  -o c=d\nopt", TakenBack::restored,
     TakenBack::restored, kSmtp + "\n  -o a=b\n  -o c=d\nopt unix - - n - - smtp\n"},
    {"an option added among ours", "  -o smtpd_m", "  -o c=d\n  -o smtpd_m",
     TakenBack::merged, TakenBack::restored,
     kSmtp + "\n  -o a=b\n  -o c=d\nopt unix - - n - - smtp\n"},
    {"an item added", "$mxfeed_smtpd_milters", "unix:x,$mxfeed_smtpd_milters",
     TakenBack::merged, TakenBack::restored,
     kSmtp + "\n  -o a=b\n  -o smtpd_milters=unix:x\nopt unix - - n - - smtp\n"},
    {"ours taken out", "  -o smtpd_milters=$mxfeed_smtpd_milters\n", "", TakenBack::kept,
     TakenBack::restored, kSmtp + "\n  -o a=b\nopt unix - - n - - smtp\n"},
    {"the service commented out", "smtp inet", "#smtp inet", TakenBack::restored,
     TakenBack::restored, "#" + kSmtp + "\n  -o a=b\nopt unix - - n - - smtp\n"},
    {"a service added in the block of ours", "-o x=y\n",
     "-o x=y\nz unix - - n - - smtp\n", TakenBack::restored, TakenBack::merged,
     kSmtp + "\n  -o a=b\nopt unix - - n - - smtp\nz unix - - n - - smtp\n"},
    {"an option of our service", nullptr, "  -o c=d\n", TakenBack::restored,
     TakenBack::merged, kSmtp + "\n  -o a=b\nopt unix - - n - - smtp\n"},
    {"a service added behind", nullptr, "z unix - - n - - smtp\n  -o c=d",
     TakenBack::restored, TakenBack::restored,
     kSmtp + "\n  -o a=b\nopt unix - - n - - smtp\nz unix - - n - - smtp\n  -o c=d"},
    {"comments lost", nullptr, "", TakenBack::merged, TakenBack::merged,
     kSmtp + "\n  -o a=b\nopt unix - - n - - smtp\n", true},
    {"comments lost, in one line", "\n  -o smtpd_milters=$mxfeed_smtpd_milters\n",
     " -o smtpd_milters=$mxfeed_smtpd_milters  -o c=d\n", TakenBack::merged,
     TakenBack::merged, kSmtp + "\n  -o a=b -o c=d\nopt unix - - n - - smtp\n", true},
    {"comments lost, with -v", "-o smtpd_m", "-vo smtpd_m", TakenBack::merged,
     TakenBack::merged, kSmtp + "\n  -o a=b\n  -v\nopt unix - - n - - smtp\n", true},
    {"comments lost, with -v before a word",
     "\n  -o smtpd_milters=$mxfeed_smtpd_milters\n",
     " -vo smtpd_milters=$mxfeed_smtpd_milters y\n", TakenBack::merged, TakenBack::merged,
     kSmtp + "\n  -o a=b -v y\nopt unix - - n - - smtp\n", true},
    {"comments lost, in braces", "smtpd_milters=$mxfeed_smtpd_milters",
     "{ smtpd_milters = $mxfeed_smtpd_milters, unix:x }", TakenBack::merged,
     TakenBack::merged,
     kSmtp + "\n  -o a=b\n  -o { smtpd_milters = unix:x }\nopt unix - - n - - smtp\n",
     true},
};

TEST_CASE("what the site changed in master.cf stays", "[postfix]") {
  const std::string before = kSmtp + "\n  -o a=b\nopt unix - - n - - smtp\n";
  for (const auto& c : kChanges) {
    DYNAMIC_SECTION(c.name) {
      MasterCf attached(before, is_ours);
      attached.add_options("smtp/inet", kMilters);
      attached.add_service("mxfeed-relay unix - - n - - smtp -o x=y");
      std::string text = attached.text();
      if (c.comments_lost) {
        std::string rest;
        for (std::size_t at = 0; at < text.size();) {
          const auto end = text.find('\n', at) + 1;
          if (text[at] != '#') rest += text.substr(at, end - at);
          at = end;
        }
        text = rest;
      }
      if (c.from == nullptr) {
        text += c.to;
      } else {
        REQUIRE(text.find(c.from) != std::string::npos);
        text.replace(text.find(c.from), std::string_view(c.from).size(), c.to);
      }
      MasterCf master(text, is_ours);
      CHECK(master.take_back("smtp/inet") == c.smtp);
      CHECK(master.take_back("mxfeed-relay/unix") == c.relay);
      CHECK(master.text() == c.after);
      CHECK(master.ours().empty());
      if (described(MasterCf(text, is_ours).services())[0].substr(0, 4) != "smtp") return;
      MasterCf again(text, is_ours);
      again.add_options("smtp/inet", kMilters);
      CHECK(again.services()[0].options.at("smtpd_milters") == "$mxfeed_smtpd_milters");
      again.add_service("mxfeed-relay unix - - n - - smtp -o x=y");
      for (const auto& name : again.ours()) again.take_back(name);
      CHECK(again.text() == c.after);
    }
  }
}

TEST_CASE("what is left of an option still continues its service", "[postfix]") {
  MasterCf master(kSmtp + "\n  -o { a = unix:x,\n  $mxfeed_b}\n", is_ours);
  CHECK(master.take_back("smtp/inet") == TakenBack::merged);
  CHECK(master.text() == kSmtp + "\n  -o { a = unix:x\n  }\n");
  CHECK(described(master.services()) == Strings{"smtp/inet smtpd a=unix:x"});
}

TEST_CASE("options that would not hold are refused", "[postfix]") {
  struct Case {
    const char* name;
    std::string text;
    const char* service;
    ServiceOption option;
  };
  const Case cases[] = {
      {"no such service", kSmtp + "\n", "smtpd/pass", {"a", "b"}},
      {"behind an argument", kSmtp + " x\n", "smtp/inet", {"a", "b"}},
      {"behind a NUL", kSmtp + std::string("\0\n", 2), "smtp/inet", {"a", "b"}},
      {"no name", kSmtp + "\n", "smtp/inet", {"", "b"}},
      {"a blank in the name", kSmtp + "\n", "smtp/inet", {"a c", "b"}},
      {"a line break", kSmtp + "\n", "smtp/inet", {"a", "b\nc"}},
      {"a blank at the end", kSmtp + "\n", "smtp/inet", {"a", "b "}},
      {"a brace that is not closed", kSmtp + "\n", "smtp/inet", {"a", "{ b"}},
      {"a brace that takes in what follows", kSmtp + "\n", "smtp/inet", {"a", "{b"}},
      {"braces that close another", kSmtp + "\n", "smtp/inet", {"a", "b } c { d"}},
      {"a brace that opens the name", kSmtp + "\n", "smtp/inet", {"{a", "b}"}},
  };
  for (const auto& c : cases) {
    DYNAMIC_SECTION(c.name) {
      MasterCf master(c.text, is_ours);
      CHECK_THROWS_AS(master.add_options(c.service, {c.option}), Fault);
      CHECK(master.text() == c.text);
    }
  }
  MasterCf master("", is_ours);
  for (const char* line :
       {"", "x unix - - n - - smtp", "mxfeed-relay unix", "#mxfeed-x",
        " mxfeed-relay unix - - n - - smtp", "mxfeed-relay unix - - n - - smtp\n",
        "mxfeed-relay unix - - n - - smtp\n  -o a=b"}) {
    CAPTURE(line);
    CHECK_THROWS_AS(master.add_service(line), Fault);
  }
  CHECK(master.text().empty());
}

}  // namespace
}  // namespace mxfeed
