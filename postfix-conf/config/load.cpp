// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/load.h"

#include <dirent.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>
#include <variant>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "postfix-conf/config/load_gateway.h"
#include "postfix-conf/config/section.h"
#include "postfix-conf/config/settings.h"
#include "postfix-conf/config/toml.h"

namespace mxfeed {
namespace {

// FNV-1a: tells that something changed, nothing more.
class Digest {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) {
      value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
    }
    value_ = (value_ ^ 0xFF) * 0x100000001B3ull;  // "ab","c" is not "a","bc"
  }
  std::string str() const { return fmt::format("{:016x}", value_); }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325ull;
};

// Returns its index in Config::customers.
std::uint32_t read_customer(Section& file, Problems& problems, Config& config) {
  const auto value = file.take("customer");
  if (!value) return DomainConfig::kNoCustomer;
  if (value->kind() != TomlNode::Kind::table) {
    file.wrong_kind("customer", *value, "a table");
    return DomainConfig::kNoCustomer;
  }
  Section section(problems, *value, "customer");
  config.customers.push_back(read_customer(section));
  return static_cast<std::uint32_t>(config.customers.size() - 1);
}

void read_domain(TomlNode table, std::uint32_t customer, const Defaults& defaults,
                 Problems& problems, Config& config) {
  DomainConfig domain;
  domain.customer = customer;
  const auto given = table.member("name");
  if (given && given->kind() == TomlNode::Kind::string) {
    if (const auto name = Domain::parse(given->string())) domain.name = name->str();
  }
  Section section(problems, table, "domain", domain.name);
  domain.place = given ? section.place_of(*given) : section.place();
  if (!given) {
    section.error("name", domain.place, "missing");
  } else if (given->kind() != TomlNode::Kind::string) {
    section.wrong_kind("name", *given, "a string");
  } else if (domain.name.empty()) {
    section.error("name", domain.place,
                  fmt::format("{} is not a domain name", in_quotes(given->string())));
  } else if (domain.name.find('.') == std::string::npos) {
    section.error("name", domain.place, "must have at least two labels");
  }
  Service service = defaults.common.service.value;
  if (const auto own = table.member("service");
      own && own->kind() == TomlNode::Kind::string) {
    for (const Service one : {Service::feed, Service::backup, Service::direct}) {
      if (own->string() == word(one)) service = one;
    }
  }
  domain.settings = defaults.of(service);
  read_settings(section, SettingsOf::domain, domain.settings);
  config.domains.push_back(std::move(domain));
}

// The *.toml files in the directory, by name.
std::vector<std::string> toml_files(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()),
                                                 ::closedir);
  if (!open) {
    if (errno == ENOENT) return names;
    throw Fault("read directory", directory.string(), errno_text(errno));
  }
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(open.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name.ends_with(".toml") && !name.starts_with('.')) names.push_back(name);
  }
  if (errno != 0) throw Fault("read directory", directory.string(), errno_text(errno));
  std::sort(names.begin(), names.end());
  return names;
}

// Reads one file after the other; one at a time is in memory.
class Loader {
 public:
  explicit Loader(const std::filesystem::path& directory)
      : directory_(std::filesystem::absolute(directory).lexically_normal()) {}

  Config load(const Progress& progress) {
    Defaults defaults;
    read("mxfeed.toml", [&](TomlNode root, Problems& problems) {
      defaults = read_gateway(root, problems, config_);
    });
    config_.defaults = defaults.common;
    std::vector<std::string> names;
    try {
      names = toml_files(directory_ / "domains.d");
    } catch (const Fault& fault) {
      fail("domains.d", {}, fmt::format("cannot be read: {}", fault.cause()));
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      read("domains.d/" + names[i], [&](TomlNode root, Problems& problems) {
        Section section(problems, root, "");
        const auto customer = read_customer(section, problems, config_);
        for (const auto& table : section.take_tables("domain")) {
          read_domain(table.table(), customer, defaults, problems, config_);
        }
        section.finish();
      });
      if (progress) progress(i + 1, names.size());
    }
    config_.digest = digest_.str();
    check_config(config_, complete_);
    return std::move(config_);
  }

 private:
  template <typename Take>
  void read(const std::string& name, Take take) {
    std::optional<std::string> text;
    try {
      text = read_file(directory_ / name);
    } catch (const Fault& fault) {
      return fail(name, {}, fmt::format("cannot be read: {}", fault.cause()));
    }
    if (!text) return fail(name, {}, "no such file");
    digest_.add(name);
    digest_.add(*text);
    const auto parsed = TomlFile::parse(*text);
    if (const auto* const error = std::get_if<SyntaxError>(&parsed)) {
      return fail(name, error->line, error->cause);
    }
    config_.files.push_back(full_path(name));
    Problems problems{config_.errors, config_.warnings, last_file()};
    take(std::get<TomlFile>(parsed).root(), problems);
  }

  // As messages name it.
  std::string full_path(const std::string& name) const {
    return (directory_ / name).string();
  }

  void fail(const std::string& name, std::uint32_t line, std::string cause) {
    complete_ = false;
    config_.files.push_back(full_path(name));
    config_.errors.push_back({{last_file(), line}, "", "", std::move(cause)});
  }

  std::uint32_t last_file() const {
    return static_cast<std::uint32_t>(config_.files.size() - 1);
  }

  const std::filesystem::path directory_;
  Config config_;
  Digest digest_;
  bool complete_ = true;
};

}  // namespace

Config load_config(const std::filesystem::path& directory, const Progress& progress) {
  return Loader(directory).load(progress);
}

}  // namespace mxfeed
