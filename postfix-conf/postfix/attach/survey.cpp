// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/survey.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "postfix-conf/generate/meta.h"

namespace mxfeed {
namespace {

constexpr std::size_t kNamed = 5;
constexpr std::size_t kMostList = 64 << 20;
// The local part of an address that no table has as such.
constexpr std::string_view kProbe = "mxfeed-probe@";

constexpr std::string_view kDomainLists[] = {"mydestination", "virtual_alias_domains",
                                             "virtual_mailbox_domains", "relay_domains",
                                             "transport_maps"};

std::string read_whole(const std::filesystem::path& file) {
  auto content = read_file(file);
  if (!content) throw Fault("read", file.string(), "no such file");
  return *std::move(content);
}

// "hash:/etc/postfix/relay"; not "example.com", "/file", "[::1]".
bool is_table(std::string_view item) {
  const auto colon = item.find(':');
  return colon != std::string_view::npos && colon > 0 &&
         std::all_of(item.begin(), item.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

class SameSearch {
 public:
  SameSearch(const Postfix& postfix, const PostfixSettings& site,
             const Generated& generated)
      : postfix_(postfix), site_(site), generated_(generated) {}

  std::vector<SameDomains> find() {
    for (const auto name : kDomainLists) {
      parameter_ = name;
      for (const auto item : list_items(site_.parameter(name))) look(item);
    }
    return std::move(found_);
  }

 private:
  void look(std::string_view item) {
    result_ = {std::string(parameter_), std::string(item), {}, 0, ""};
    try {
      if (item.starts_with('!')) {
        return;
      } else if (item.starts_with('/')) {
        const auto text = read_regular_file(item, kMostList);
        if (!text) throw Fault("read", item, "no such file");
        for (const auto line : split(*text, '\n')) {
          if (trim(line).starts_with('#')) continue;
          for (const auto one : list_items(line)) pattern(one);
        }
      } else if (is_table(item)) {
        table(item);
      } else {
        pattern(item);
      }
    } catch (const Fault& fault) {
      result_.fault = fault.what();
    }
    if (result_.count > 0 || !result_.fault.empty()) found_.push_back(result_);
  }

  void add(std::string_view name) {
    const auto* const hosted = generated_.find(name);
    if (hosted == nullptr || !is_relayed(hosted->own)) return;
    ++result_.count;
    if (result_.domains.size() < kNamed) result_.domains.emplace_back(name);
  }

  // postconf(5), mydestination: a name, or ".name" for those below it.
  void pattern(std::string_view item) {
    const std::string name = ascii_lower(item);
    if (!name.starts_with('.')) return add(name);
    for (const auto& one : generated_.hosted) {
      if (one.name.ends_with(name)) add(one.name);
    }
  }

  void table(std::string_view item) {
    const bool is_transport = parameter_ == "transport_maps";
    if (keys_.empty()) {
      for (const auto& one : generated_.hosted) {
        if (is_relayed(one.own)) keys_.push_back(one.name);
      }
    }
    for (const auto& key : postfix_.keys_in(std::string(item), keys_)) add(key);
    // Patterns may match whole addresses.
    if (!is_transport || result_.count > 0 || keys_.empty()) return;
    auto addresses = keys_;
    for (auto& one : addresses) one.insert(0, kProbe);
    for (const auto& key : postfix_.keys_in(std::string(item), addresses)) {
      add(std::string_view(key).substr(kProbe.size()));
    }
  }

  const Postfix& postfix_;
  const PostfixSettings& site_;
  const Generated& generated_;
  std::string_view parameter_;
  SameDomains result_;
  std::vector<std::string> keys_;
  std::vector<SameDomains> found_;
};

}  // namespace

PostfixFiles read_files(const Postfix& postfix) {
  return {read_whole(postfix.config() / "main.cf"),
          read_whole(postfix.config() / "master.cf")};
}

Survey survey(const Postfix& postfix, const PostfixUse& use,
              const std::filesystem::path& state) {
  Survey result;
  result.files = read_files(postfix);
  result.now = postfix.settings();
  const PostfixFiles site = site_files(result.files);
  result.site.settings = site == result.files
                             ? result.now
                             : postfix.settings_with(site.main_cf, site.master_cf);
  result.site.reading = read_site(result.site.settings, use, state);
  return result;
}

PostfixNeeds read_needs(const std::filesystem::path& generation) {
  PostfixNeeds needs;
  const std::string main = read_whole(generation / "main.cf");
  for (const auto line : split(main, '\n')) {
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos) continue;
    needs.main_cf.emplace_back(trim(line.substr(0, equals)),
                               trim(line.substr(equals + 1)));
  }
  const std::string master = read_whole(generation / "master.cf");
  for (const auto line : split(master, '\n')) {
    if (!line.empty() && !line.starts_with('#')) needs.master_cf.emplace_back(line);
  }
  const auto file = generation / "meta";
  const auto meta = parse_meta(read_whole(file), file.string());
  needs.use = meta.use;
  needs.site = meta.site;
  return needs;
}

std::vector<SameDomains> find_same_domains(const Postfix& postfix,
                                           const PostfixSettings& site,
                                           const Generated& generated) {
  return SameSearch(postfix, site, generated).find();
}

std::vector<Conflict> conflicts_of_new_domains(const Postfix& postfix,
                                               const Generated& next,
                                               const Generated& previous) {
  Generated fresh;
  for (const auto& one : next.hosted) {
    const auto* const before = previous.find(one.name);
    const bool was_relayed = before != nullptr && is_relayed(before->own);
    if (is_relayed(one.own) && !was_relayed) fresh.hosted.push_back(one);
  }
  if (fresh.hosted.empty()) return {};
  const PostfixFiles files = read_files(postfix);
  if (attach_state(files) != AttachState::accepting) return {};
  SiteView site;
  const PostfixFiles without = site_files(files);
  site.settings = postfix.settings_with(without.main_cf, without.master_cf);
  site.same = find_same_domains(postfix, site.settings, fresh);
  return same_domain_conflicts(site);
}

}  // namespace mxfeed
