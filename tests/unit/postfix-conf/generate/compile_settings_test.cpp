// SPDX-License-Identifier: GPL-2.0-or-later
//
// No row of the table of a domain's settings may be forgotten by compile().
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "common/base/file.h"
#include "postfix-conf/config/load.h"
#include "postfix-conf/config/settings.h"
#include "postfix-conf/generate/compile.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

class Directory {
 public:
  Directory() {
    std::string name = (fs::temp_directory_path() / "mxfeed-compile-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    fs::create_directory(path_ / "domains.d");
  }
  ~Directory() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Kept for people, or a condition of other keys: no map and no policy has them.
const std::set<std::string> kRecords = {"requested", "acknowledged", "dynamic_address"};

// The domain that the key is tried on.
const std::map<std::string, std::string> kDomain = {
    {"name", R"("other.example")"},
    {"deliver_to", R"(["203.0.113.99"])"},
    {"requested", R"("ticket 1")"},
    {"acknowledged", R"("letter 1")"},
};

std::string default_of(const SettingInfo& info) {
  const auto needed = kDomain.find(info.key);
  if (info.table == "[[domain]]" && needed != kDomain.end()) return needed->second;
  const auto built_in = info.built_in.str();
  return built_in == "null" ? std::string() : built_in;
}

// A file of domains.d in which the key has the value; without it if the value is empty.
std::string file_with(const SettingInfo& info, const std::string& value) {
  std::string text;
  const auto add = [&](std::string_view table, const std::string& key,
                       const std::string& needed) {
    const bool is_it = info.table == table && info.key == key;
    if (!is_it) text += fmt::format("{} = {}\n", key, needed);
  };
  const auto add_given = [&] {
    if (!value.empty()) text += fmt::format("{} = {}\n", info.key, value);
  };
  text += "[customer]\nid = \"acme\"\n[[domain]]\n";
  for (const auto& [key, needed] : kDomain) add("[[domain]]", key, needed);
  if (info.table == "[[domain]]") add_given();
  if (info.key == "dynamic_address") {
    text += "tls = { level = \"verify\", name = \"mail.other.example\" }\n";
  }
  // While spam is off the keys of its table have no effect.
  text += "[domain.spam]\n";
  add("[domain.spam]", "enabled", "true");
  if (info.table == "[[domain]]") return text;
  if (info.table != "[domain.spam]") text += info.table + "\n";
  if (info.table.starts_with("[domain.spam.")) {
    add(info.table, "action", R"("subject")");
  }
  // Without a rule there is nothing for the action.
  if (info.table == "[domain.attachments]" && info.key == "action") {
    add(info.table, "preset", R"("strict")");
  }
  add_given();
  return text;
}

Generated compiled(const std::string& domains) {
  const Directory directory;
  write_file(directory.path() / "mxfeed.toml",
             "mx = [\"mx1.isp.example\"]\nbackup_mx = [\"mx1.isp.example\"]\n"
             "[blocklists]\nreject = [\"x.example=127.0.0.2\"]\n");
  write_file(directory.path() / "domains.d" / "acme.toml", domains);
  const auto config = load_config(directory.path());
  INFO(domains);
  for (const auto& error : config.errors) UNSCOPED_INFO(config.describe(error));
  REQUIRE(config.errors.empty());
  return compile(config, nullptr, "/var/lib/mxfeed", {}).draft;
}

TEST_CASE("Every key of a domain that has an effect changes what is generated") {
  std::size_t count = 0;
  for (const auto& info : all_settings()) {
    if (!info.table.starts_with("[domain.") && info.table != "[[domain]]") continue;
    INFO(info.table << " " << info.key << " = " << info.example);
    const bool changes = !same(compiled(file_with(info, default_of(info))),
                               compiled(file_with(info, info.example)));
    CHECK(changes == (info.has_effect && !kRecords.contains(info.key)));
    ++count;
  }
  CHECK(count > 25);
}

TEST_CASE("The quarantine is used if an attachment can be held") {
  const std::string begin =
      "[[domain]]\nname = \"acme.example\"\ndeliver_to = [\"203.0.113.7\"]\n"
      "[domain.attachments]\n";
  const std::string holds = "action = \"quarantine\"\n";
  const auto is_used = [&](const std::string& text) {
    return compiled(begin + text).gateway.quarantine.is_reachable;
  };
  CHECK(is_used(holds + "preset = \"executables\"\n"));
  CHECK(is_used(holds + "blocked = [\".zip\"]\n"));
  CHECK_FALSE(is_used(holds));
  CHECK_FALSE(is_used("preset = \"strict\"\n"));
}

const std::string kReports =
    "[customer]\nid = \"acme\"\n[[domain]]\nname = \"acme.example\"\n"
    "deliver_to = [\"203.0.113.7\", \"[mail.acme.example]:25\"]\n"
    "[domain.spam]\nenabled = true\n";
const std::string kOther =
    "[[domain]]\nname = \"shop.example\"\ndeliver_to = [\"203.0.113.8\"]\n";

TEST_CASE("The quarantine is used if mail teaches") {
  CHECK(compiled(kReports + "traps = [\"x\"]\n").gateway.quarantine.is_reachable);
  CHECK(compiled(kReports + "report_ham = \"x\"\n").gateway.quarantine.is_reachable);
  CHECK_FALSE(compiled(kReports).gateway.quarantine.is_reachable);
  const std::string off = "enabled = false\ntraps = [\"x\"]\n";
  CHECK_FALSE(compiled(kReports.substr(0, kReports.find("enabled")) + off)
                  .gateway.quarantine.is_reachable);
}

TEST_CASE("All domains of a customer may report, and servers of the domain") {
  const auto all = compiled(kReports + "report_spam = \"x\"\n" + kOther);
  const auto& acme = all.policies.at(all.find("acme.example")->policy).teaching;
  const auto& shop = all.policies.at(all.find("shop.example")->policy).teaching;
  CHECK(acme.customer == "acme");
  CHECK(acme.servers == std::vector<Network>{*Network::parse("203.0.113.7")});
  CHECK(shop.customer == "acme");
  CHECK(shop.servers.empty());
}

TEST_CASE("Traps alone tell no customers apart, and keep no recipients apart") {
  const auto all = compiled(kReports + "traps = [\"x\"]\n" + kOther +
                            "[domain.spam]\nenabled = true\n");
  const auto& acme = all.policies.at(all.find("acme.example")->policy);
  const auto& shop = all.policies.at(all.find("shop.example")->policy);
  CHECK(acme.teaching.customer.empty());
  CHECK(acme.spam == shop.spam);
}

}  // namespace
}  // namespace mxfeed
