// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/config/load.h"

#include <dirent.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "common/base/digest.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/parallel.h"
#include "common/base/text.h"
#include "postfix-conf/config/load_domains.h"
#include "postfix-conf/config/load_gateway.h"
#include "postfix-conf/config/recipient_files.h"
#include "postfix-conf/config/section.h"
#include "postfix-conf/config/settings.h"
#include "postfix-conf/config/toml.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGatewayFile = "mxfeed.toml";
constexpr const char* kDomains = "domains.d";
constexpr std::size_t kDigest = 16;
constexpr std::string_view kSuffix = ".toml";

// Names of files that editors and tools leave behind.
bool is_hidden(std::string_view name) {
  return name.starts_with('.') || name.starts_with('#') || name.ends_with('~');
}

// The names in the directory without hidden ones, in ascending order; none if there is no
// directory.  Throws Fault.
std::vector<std::string> names_in(const fs::path& directory) {
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
    if (!is_hidden(entry->d_name)) names.emplace_back(entry->d_name);
  }
  if (errno != 0) throw Fault("read directory", directory.string(), errno_text(errno));
  std::sort(names.begin(), names.end());
  return names;
}

// Of a setting "file:NAME".
constexpr std::string_view kFile = "file:";
constexpr std::size_t kMostRecipients = 64 << 20;

// The result of one file.
struct Loaded {
  std::vector<Problem> errors, warnings;
  DomainsFile domains;
  std::list<DomainSettings> settings;  // of the domains
  std::string digest;
  bool is_complete = false;
};

// Reads the file `number` of Config::files; `take` gets its table if it is valid.
template <typename Take>
Loaded read_toml(const fs::path& path, std::uint32_t number, const Take& take) {
  Loaded loaded;
  const auto fail = [&](std::uint32_t line, std::string cause) {
    loaded.errors.push_back({{number, line}, "", "", std::move(cause)});
    return std::move(loaded);
  };
  std::optional<std::string> text;
  try {
    text = read_regular_file(path);
  } catch (const Fault& fault) {
    return fail(0, fmt::format("cannot be read: {}", fault.cause()));
  }
  if (!text) return fail(0, "no such file");
  loaded.digest = digest(*text, kDigest);
  const auto parsed = TomlFile::parse(*text);
  if (const auto* const error = std::get_if<SyntaxError>(&parsed)) {
    return fail(error->line, error->cause);
  }
  Problems problems{loaded.errors, loaded.warnings, number};
  take(std::get<TomlFile>(parsed).root(), problems, loaded);
  loaded.is_complete = true;
  return loaded;
}

// Moves the domains out, sorted by name, those of equal name by place.
std::vector<DomainConfig> sorted(std::vector<std::vector<DomainConfig>>& files) {
  struct Reference {
    std::uint64_t start = 0;  // the first bytes of the name: mostly enough to compare
    DomainConfig* domain = nullptr;
  };
  std::size_t count = 0;
  for (const auto& file : files) count += file.size();
  std::vector<Reference> references;
  references.reserve(count);
  for (auto& file : files) {
    for (auto& domain : file) {
      Reference one{0, &domain};
      for (std::size_t i = 0; i < sizeof one.start; ++i) {
        const auto octet =
            i < domain.name.size() ? static_cast<unsigned char>(domain.name[i]) : 0u;
        one.start = one.start << 8 | octet;
      }
      references.push_back(one);
    }
  }
  std::sort(references.begin(), references.end(),
            [](const Reference& a, const Reference& b) {
              if (a.start != b.start) return a.start < b.start;
              const int order = a.domain->name.compare(b.domain->name);
              return order != 0 ? order < 0 : a.domain->place < b.domain->place;
            });
  std::vector<DomainConfig> domains;
  domains.reserve(count);
  for (const auto& one : references) domains.push_back(std::move(*one.domain));
  return domains;
}

class Loader {
 public:
  explicit Loader(const fs::path& directory)
      : directory_(fs::absolute(directory).lexically_normal()) {}

  Config load(const Progress& progress, const AskSource& ask) {
    Defaults defaults;
    merge(read_toml(directory_ / kGatewayFile, add_file(kGatewayFile),
                    [&](TomlNode root, Problems& problems, Loaded&) {
                      defaults = read_gateway(root, problems, config_);
                    }));
    config_.defaults = defaults.common;
    const auto first = static_cast<std::uint32_t>(config_.files.size());
    std::vector<std::string> others;
    for (const auto& name : names_in_domains()) {
      if (name.ends_with(kSuffix)) {
        add_file(fs::path(kDomains) / name);
      } else {
        others.push_back(name);
      }
    }
    std::vector<Loaded> files(config_.files.size() - first);
    for_each_on_all_cores(
        files.size(),
        [&](std::size_t i) {
          const auto number = static_cast<std::uint32_t>(first + i);
          files[i] = read_toml(config_.files[number], number,
                               [&](TomlNode root, Problems& problems, Loaded& loaded) {
                                 loaded.domains = read_domains(root, defaults, problems,
                                                               loaded.settings);
                               });
        },
        [&](std::size_t done) {
          if (progress) progress(done, files.size());
        });
    if (progress && !files.empty()) progress(files.size(), files.size());
    std::vector<std::vector<DomainConfig>> domains;
    for (auto& file : files) {
      merge(std::move(file));
      domains.push_back(std::move(file.domains.domains));
    }
    config_.files_read = config_.files.size();
    if (ask && !config_.gateway.source.empty()) {
      for (auto& some : read_source(ask(config_.gateway.source), defaults)) {
        domains.push_back(std::move(some));
      }
    }
    config_.domains = sorted(domains);
    warn_of_others(others);
    read_recipients();
    config_.digest = to_hex(std::move(digest_).finish());
    check_config(config_, is_complete_);
    return std::move(config_);
  }

 private:
  std::vector<std::string> names_in_domains() {
    try {
      return names_in(directory_ / kDomains);
    } catch (const Fault& fault) {
      is_complete_ = false;
      config_.errors.push_back({{add_file(kDomains), 0},
                                "",
                                "",
                                fmt::format("cannot be read: {}", fault.cause())});
      return {};
    }
  }

  // Returns its index.
  std::uint32_t add_file(const fs::path& name) {
    config_.files.push_back((directory_ / name).string());
    return static_cast<std::uint32_t>(config_.files.size() - 1);
  }

  // Returns its domains.
  std::vector<std::vector<DomainConfig>> read_source(const SourceText& text,
                                                     const Defaults& defaults) {
    const auto number = static_cast<std::uint32_t>(config_.files.size());
    config_.files.push_back(text.name);
    config_.source_file = number;
    auto source = read_rows(text.rows, defaults, number);
    // A row may name a customer of a file.
    std::map<std::string, std::uint32_t> known;
    for (std::uint32_t i = 0; i < config_.customers.size(); ++i) {
      known.emplace(config_.customers[i].id, i);
    }
    std::vector<std::uint32_t> numbers;
    for (auto& customer : source.customers) {
      const auto next = static_cast<std::uint32_t>(config_.customers.size());
      const auto found = known.find(customer.id);
      const bool is_of_file = found != known.end() && names_only(customer);
      numbers.push_back(is_of_file ? found->second : next);
      if (!is_of_file) config_.customers.push_back(std::move(customer));
    }
    for (auto& some : source.domains) {
      for (auto& domain : some) {
        if (domain.customer != DomainConfig::kNoCustomer) {
          domain.customer = numbers[domain.customer];
        }
      }
    }
    append(config_.errors, source.errors);
    append(config_.warnings, source.warnings);
    config_.settings.splice(config_.settings.end(), source.settings);
    for (const auto& one : source.digests) digest_.add(one);
    return std::move(source.domains);
  }

  template <typename T>
  static void append(std::vector<T>& all, std::vector<T>& more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
  }

  // Merges everything except the domains themselves.
  void merge(Loaded&& loaded) {
    append(config_.errors, loaded.errors);
    append(config_.warnings, loaded.warnings);
    if (loaded.domains.customer) {
      const auto customer = static_cast<std::uint32_t>(config_.customers.size());
      config_.customers.push_back(*std::move(loaded.domains.customer));
      for (auto& domain : loaded.domains.domains) domain.customer = customer;
    }
    config_.settings.splice(config_.settings.end(), loaded.settings);
    digest_.add(loaded.digest);
    is_complete_ = is_complete_ && loaded.is_complete;
  }

  void read_recipients() {
    for (const auto& domain : config_.domains) {
      const auto& settings = *domain.settings;
      const std::string_view source = settings.recipients;
      if (domain.name.empty()) continue;
      if (!settings.recipient_list.empty()) {
        auto list = settings.recipient_list;
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
        config_.recipients.insert_or_assign(domain.name, std::move(list));
      } else if (source.starts_with(kFile)) {
        read_recipient_file(domain, std::string(source.substr(kFile.size())));
      }
    }
  }

  void read_recipient_file(const DomainConfig& domain, const std::string& name) {
    const auto fail = [&](std::string cause) {
      const auto place = domain.place_of(domain_setting("recipients"));
      config_.errors.push_back({place.line == 0 ? domain.place : place,
                                fmt::format("domain \"{}\"", domain.name), "recipients",
                                std::move(cause)});
    };
    const auto path = directory_ / name;
    auto known = recipient_files_.find(name);
    if (known == recipient_files_.end()) {
      std::optional<std::string> text;
      try {
        text = read_regular_file(path, kMostRecipients);
      } catch (const Fault& fault) {
        return fail(
            fmt::format("{}: {}", escape_untrusted(path.string()), fault.cause()));
      }
      if (!text) {
        return fail(fmt::format("{}: no such file", escape_untrusted(path.string())));
      }
      digest_.add(digest(*text, kDigest));
      known = recipient_files_.emplace(name, RecipientFile::parse(*text)).first;
    }
    const auto& file = known->second;
    if (file.damage()) {
      return fail(fmt::format("{}:{}: {}", escape_untrusted(path.string()),
                              file.damage()->line, file.damage()->cause));
    }
    auto list = file.of(domain.name);
    if (list.empty()) {
      return fail(fmt::format("{}: no recipient of the domain: all mail would be refused",
                              escape_untrusted(path.string())));
    }
    config_.recipients.insert_or_assign(domain.name, std::move(list));
  }

  void warn_of_others(const std::vector<std::string>& names) {
    for (const auto& name : names) {
      config_.warnings.push_back({{add_file(fs::path(kDomains) / name), 0},
                                  "",
                                  "",
                                  "ignored: only files named *.toml are read"});
    }
  }

  const fs::path directory_;
  Config config_;
  Digester digest_{kDigest};
  std::map<std::string, RecipientFile> recipient_files_;  // by name
  bool is_complete_ = true;
};

}  // namespace

Config load_config(const fs::path& directory, const Progress& progress,
                   const AskSource& ask) {
  return Loader(directory).load(progress, ask);
}

}  // namespace mxfeed
