// SPDX-License-Identifier: GPL-2.0-or-later
//
// The settings table, the reader and mxfeed.toml(5) must agree.
#include "postfix-conf/config/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "common/base/file.h"
#include "common/base/text.h"
#include "postfix-conf/config/load.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

class Directory {
 public:
  Directory() {
    std::string name = (fs::temp_directory_path() / "mxfeed-settings-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    fs::create_directory(path_ / "domains.d");
  }
  ~Directory() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

using Lines = std::vector<std::pair<std::string, std::string>>;  // key, value

// What a table needs beside the key.
std::string lines_but(const std::string& key, const Lines& lines) {
  std::string text;
  for (const auto& [other, value] : lines) {
    if (other != key) text += fmt::format("{} = {}\n", other, value);
  }
  return text;
}

struct Files {
  std::string gateway, domains;
};

// A fingerprint of SHA-256.
std::string fingerprint() {
  std::string text = "AB";
  for (int i = 1; i < 32; ++i) text += ":AB";
  return text;
}

// A configuration in which the key has the value.
Files files_with(const SettingInfo& info, const std::string& value) {
  const Lines kTop{{"mx", "[\"mx1.isp.example\"]"},
                   {"backup_mx", "[\"mx1.isp.example\"]"}};
  const Lines kDomain{{"name", "\"acme.example\""},
                      {"deliver_to", "[\"203.0.113.7\"]"},
                      {"requested", "\"ticket 1\""},
                      {"acknowledged", "\"letter 1\""}};
  const auto& table = info.table;
  const auto given = fmt::format("{} = {}\n", info.key, value);
  Files files{lines_but("", kTop), {}};
  if (table.empty()) {
    files.gateway = lines_but(info.key, kTop) + given;
  } else if (table == "[[host]]") {
    files.gateway +=
        table + "\n" + lines_but(info.key, {{"name", "\"mx9.isp.example\""}}) + given;
  } else if (table == "[[recipient_command]]") {
    files.gateway +=
        table + "\n" +
        lines_but(info.key, {{"name", "\"list\""}, {"command", "[\"/x\"]"}}) + given;
  } else if (table == "[customer]") {
    files.domains = table + "\n" + lines_but(info.key, {{"id", "\"acme\""}}) + given;
  } else if (table == "[redis]") {
    Lines needed{{"servers", "[\"192.0.2.7:6379\"]"}};
    if (info.key == "master") needed.emplace_back("type", "\"sentinel\"");
    if (info.key == "type" && value == "\"sentinel\"") {
      needed.emplace_back("master", "\"mymaster\"");
    }
    if (info.key == "user") needed.emplace_back("password_file", "\"/x\"");
    files.gateway += table + "\n" + lines_but(info.key, needed) + given;
  } else if (table.find("domain") == std::string::npos) {
    files.gateway += table + "\n" + given;
    if (table == "[quarantine]" && info.key == "host") {
      files.gateway += fmt::format("[[host]]\nname = {}\naddresses = [\"203.0.113.2\"]\n",
                                   info.example);
    }
  } else {
    const bool is_domain = table == "[[domain]]";
    files.domains = "[customer]\nid = \"acme\"\n[[domain]]\n" +
                    lines_but(is_domain ? info.key : "", kDomain);
    if (!is_domain) files.domains += table + "\n";
    if (table == "[[domain.mailbox]]") {
      files.domains += lines_but(info.key, {{"user", "\"x\""}, {"password", "\"{A}x\""}});
    } else if (table.starts_with("[domain.spam.")) {
      const bool is_field =
          value.find(':') != std::string::npos && value.front() == '"' && value[1] != '[';
      files.domains +=
          lines_but(info.key, {{"action", is_field ? "\"header\"" : "\"subject\""}});
    }
    files.domains += given;
    if (info.key == "dynamic_address") {
      files.domains += fmt::format("tls = {{ fingerprint = \"{}\" }}\n", fingerprint());
    }
    if (info.key == "blocklist") {
      files.gateway += "[blocklists]\nreject = [\"x.example=127.0.0.2\"]\n";
    }
  }
  return files;
}

// "error: ..." or "warning: ..." each.
std::vector<std::string> problems_with(const SettingInfo& info,
                                       const std::string& value) {
  const Directory directory;
  const auto files = files_with(info, value);
  write_file(directory.path() / "mxfeed.toml", files.gateway);
  write_file(directory.path() / "domains.d" / "acme.toml", files.domains);
  const auto config = load_config(directory.path());
  std::vector<std::string> problems;
  for (const auto& one : config.errors) {
    problems.push_back("error: " + config.describe(one));
  }
  for (const auto& one : config.warnings) {
    problems.push_back("warning: " + config.describe(one));
  }
  return problems;
}

bool is_no_effect(const std::string& problem) {
  return problem.starts_with("warning: ") &&
         problem.ends_with("no effect in this version");
}

std::string name_of(const SettingInfo& info) {
  return info.table + " " + info.key;
}

// The paragraph of each key, by "[table] key"; "none": the text of what is set in bold.
class Manual {
 public:
  Manual() {
    const char* const tree = std::getenv("MXFEED_SOURCE");
    REQUIRE(tree != nullptr);
    const auto text = read_file(fs::path(tree) / "postfix-conf" / "mxfeed.toml.5");
    REQUIRE(text);
    std::vector<std::string> tables, keys;
    bool is_tag = false;
    for (const auto raw : split(*text, '\n')) {
      std::string line(raw);
      for (auto at = line.find("\\-"); at != line.npos; at = line.find("\\-")) {
        line.replace(at, 2, "-");
      }
      if (line.starts_with(".SS ") || line.starts_with(".SH ")) {
        tables.clear();
        keys.clear();
        for (const auto one : split(std::string_view(line).substr(4), ',')) {
          tables.emplace_back(trim(one) == "Top level" ? "" : trim(one));
        }
      } else if (line == ".TP") {
        keys.clear();
        is_tag = true;
      } else if (is_tag) {
        is_tag = false;
        for (const auto& table : tables) keys.push_back(table + " " + line.substr(3));
        for (const auto& key : keys) entries_[key];
      } else {
        for (const auto& key : keys) entries_[key] += line + "\n";
      }
    }
  }

  const std::map<std::string, std::string>& entries() const { return entries_; }

 private:
  std::map<std::string, std::string> entries_;
};

std::string line_after(const std::string& text, const std::string& start) {
  const auto at = text.find("\n" + start);
  if (at == std::string::npos) return {};
  const auto begin = at + 1 + start.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

TEST_CASE("Every example is accepted, with a warning if it has no effect yet") {
  for (const auto& info : all_settings()) {
    INFO(name_of(info) << " = " << info.example);
    const auto problems = problems_with(info, info.example);
    CAPTURE(problems);
    CHECK(std::none_of(problems.begin(), problems.end(),
                       [](const auto& one) { return one.starts_with("error"); }));
    CHECK(info.has_effect ==
          std::none_of(problems.begin(), problems.end(), is_no_effect));
  }
}

TEST_CASE("Every default is accepted without a warning") {
  for (const auto& info : all_settings()) {
    const auto value = info.built_in.str();
    if (value == "null") continue;
    INFO(name_of(info) << " = " << value);
    CHECK(problems_with(info, value) == std::vector<std::string>());
  }
}

TEST_CASE("A value of another type is refused") {
  for (const auto& info : all_settings()) {
    INFO(name_of(info));
    const auto problems = problems_with(info, "1979-05-27");
    const std::string_view cause = info.type == SettingType::time
                                       ? "must be a date and time with a time zone"
                                       : "not a date or time";
    CHECK(std::any_of(problems.begin(), problems.end(), [&](const auto& one) {
      return one.find(cause) != std::string::npos;
    }));
  }
}

TEST_CASE("Each key is listed once, and an example is not the default") {
  std::set<std::string> names;
  for (const auto& info : all_settings()) {
    INFO(name_of(info));
    CHECK(names.insert(name_of(info)).second);
    CHECK(info.example != info.built_in.str());
  }
  CHECK(names.size() > 80);
}

TEST_CASE("The manual has every key with its type, default and an example") {
  const Manual manual;
  for (const auto& info : all_settings()) {
    INFO(name_of(info));
    const auto found = manual.entries().find(name_of(info));
    CHECK(found != manual.entries().end());
    if (found == manual.entries().end()) continue;
    const auto& text = found->second;
    INFO(text);
    const auto start = ascii_lower(std::string_view(text).substr(0, 60));
    CHECK(start.starts_with(to_string(info.type)));
    CHECK(text.find(info.limits) != std::string::npos);
    CHECK((text.find("No effect in this version.") == std::string::npos) ==
          info.has_effect);
    const auto built_in = info.built_in.str();
    const auto line = line_after(text, "Default: ");
    const bool is_shared = line.find(" for ") != std::string::npos;
    if (built_in != "null") {
      CHECK(line.find(built_in) != std::string::npos);
    } else if (!is_shared) {
      CHECK(line.starts_with("none"));
    }
    CHECK(line_after(text, "Example: ") == info.example);
  }
}

TEST_CASE("The manual has no key that is not read") {
  std::set<std::string> names;
  for (const auto& info : all_settings()) names.insert(name_of(info));
  const Manual manual;
  for (const auto& [name, text] : manual.entries()) {
    INFO(name);
    CHECK(names.count(name) == 1);
  }
}

TEST_CASE("show lists the settings of a domain in the order of the table") {
  const DomainSettings settings;
  DomainConfig domain;
  domain.settings = &settings;
  std::vector<std::string> keys;
  for (const auto& one : list_settings(domain)) {
    keys.push_back(one.key);
  }
  CHECK(keys.front() == "service");
  CHECK(std::count(keys.begin(), keys.end(), "greylist.delay") == 1);
  CHECK(std::count(keys.begin(), keys.end(), "spam.high.action") == 1);
}

}  // namespace
}  // namespace mxfeed
