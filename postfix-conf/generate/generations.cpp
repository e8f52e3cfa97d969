// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/generations.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <set>

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/policy/constdb.h"
#include "common/policy/policy_db.h"
#include "postfix-conf/generate/maps.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPolicy = "policy.cdb";
constexpr const char* kRelayDomains = "relay_domains";
constexpr const char* kTransport = "transport";
constexpr const char* kPartial = ".partial";
constexpr std::string_view kTableHeader =
    "domain\tservice\tstate\tsubdomains\tqueue_lifetime\tcontent_"
    "class\tcustomer\troute\n";
constexpr std::string_view kRefused = "refused";  // in the place of a state

void make_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), 0755) != 0) {
    if (errno == EEXIST && fs::is_directory(path)) return;
    throw Fault("make directory", path.string(), errno_text(errno));
  }
  // Whatever the umask: the daemons read it as other users.
  if (::chmod(path.c_str(), 0755) != 0) {
    throw Fault("make directory", path.string(), errno_text(errno));
  }
}

std::string read_part(const fs::path& file) {
  auto text = read_file(file);
  if (!text) throw Fault("read generation", file.string(), "no such file");
  return *std::move(text);
}

void write_map(const fs::path& directory, const char* name,
               const std::vector<MapLine>& lines) {
  // The source first: Postfix warns of a map that is older than it.
  write_file(directory / name, render(lines));
  ConstDbWriter map(directory / fmt::format("{}.cdb", name));
  for (const auto& line : lines) map.add(line.key, line.value);
  map.commit();
}

void prove_map(const fs::path& directory, const char* name,
               const std::vector<MapLine>& lines) {
  const auto file = directory / fmt::format("{}.cdb", name);
  const ConstDb map(file);
  for (const auto& line : lines) {
    if (map.find(line.key) != line.value) {
      throw Fault("prove generation", file.string(), "look-up of " + line.key);
    }
  }
}

std::string render_table(const std::vector<Hosted>& hosted) {
  std::string text(kTableHeader);
  for (const auto& one : hosted) {
    const std::string_view below = one.subdomains           ? "yes"
                                   : one.subdomains_removed ? "removed"
                                                            : "no";
    fmt::format_to(std::back_inserter(text), "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", one.name,
                   word(one.service), one.refused ? kRefused : word(one.state), below,
                   format_duration(one.queue_lifetime), one.policy.content_class,
                   one.customer, one.route);
  }
  return text;
}

template <typename E, std::size_t n>
std::optional<E> from_word(std::string_view text, const std::array<E, n>& values) {
  for (const E value : values) {
    if (word(value) == text) return value;
  }
  return std::nullopt;
}

std::optional<Hosted> parse_row(std::string_view row) {
  const auto columns = split(row, '\t');
  if (columns.size() != 8) return std::nullopt;
  const auto service =
      from_word(columns[1], std::array{Service::feed, Service::backup, Service::direct});
  const bool refused = columns[2] == kRefused;
  const auto state = from_word(refused ? word(DomainState::removed) : columns[2],
                               std::array{DomainState::active, DomainState::paused,
                                          DomainState::protect, DomainState::removed});
  const auto lifetime = parse_duration(columns[4]);
  if (!service || !state || !lifetime) return std::nullopt;
  Hosted one;
  one.name = columns[0];
  one.service = *service;
  one.state = *state;
  one.refused = refused;
  one.subdomains = columns[3] == "yes";
  one.subdomains_removed = columns[3] == "removed";
  one.queue_lifetime = *lifetime;
  one.customer = columns[6];
  one.route = columns[7];
  return one;
}

std::string render_meta(const GenerationMeta& meta) {
  return fmt::format(
      "generation: {}\nwritten: {}\nconfig: {}\nprevious: {}\ncopy-of: {}\ndomains: {}\n"
      "removed: {}\nversion: " MXFEED_VERSION "\n",
      meta.number, meta.written.time_since_epoch().count(), meta.config, meta.previous,
      meta.copy_of, meta.domains, meta.removed);
}

std::optional<std::uint64_t> number_in(const std::string& target) {
  constexpr std::string_view kDirectory = "generations/";
  if (!target.starts_with(kDirectory)) return std::nullopt;
  return parse_unsigned(std::string_view(target).substr(kDirectory.size()));
}

}  // namespace

Generations::Generations(fs::path state) : state_(std::move(state)) {}

fs::path Generations::directory(std::uint64_t number) const {
  return state_ / "generations" / std::to_string(number);
}

std::optional<Fd> Generations::lock() const {
  std::error_code error;
  fs::create_directories(state_.parent_path(), error);
  make_directory(state_);
  make_directory(state_ / "generations");
  const auto path = state_ / "apply.lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) throw Fault("lock", path.string(), errno_text(errno));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) throw Fault("lock", path.string(), errno_text(errno));
  return std::nullopt;
}

std::optional<std::uint64_t> Generations::number_of(const char* link) const {
  const auto target = read_link(state_ / link);
  if (!target) return std::nullopt;
  const auto number = number_in(*target);
  if (!number) {
    throw Fault("read link", (state_ / link).string(),
                "leads to " + escape_untrusted(*target) + ", which is no generation");
  }
  return number;
}

std::vector<GenerationMeta> Generations::list() const {
  std::vector<GenerationMeta> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(state_ / "generations", error)) {
    const auto number = parse_unsigned(entry.path().filename().string());
    if (!number) continue;
    try {
      all.push_back(meta(*number));
    } catch (const Fault&) {
      // A directory that is no generation of ours.
    }
  }
  std::sort(all.begin(), all.end(), [](const GenerationMeta& a, const GenerationMeta& b) {
    return a.number < b.number;
  });
  return all;
}

GenerationMeta Generations::meta(std::uint64_t number) const {
  const auto file = directory(number) / "meta";
  const std::string text = read_part(file);
  std::map<std::string_view, std::string_view> values;
  for (const auto line : split(text, '\n')) {
    const auto colon = line.find(": ");
    if (colon != std::string_view::npos) {
      values[line.substr(0, colon)] = line.substr(colon + 2);
    }
  }
  const auto take = [&](std::string_view key) {
    const auto value = parse_unsigned(values[key]);
    if (!value) throw Fault("read generation", file.string(), "damaged");
    return *value;
  };
  GenerationMeta meta;
  meta.number = take("generation");
  meta.written = Time(std::chrono::seconds(take("written")));
  meta.config = values["config"];
  meta.previous = take("previous");
  meta.copy_of = take("copy-of");
  meta.domains = take("domains");
  meta.removed = take("removed");
  if (meta.number != number) {
    throw Fault("read generation", file.string(), "of another generation");
  }
  return meta;
}

Generated Generations::load(std::uint64_t number) const {
  const auto from = directory(number);
  Generated generated;
  const PolicyDb policies(from / kPolicy);
  generated.gateway = policies.gateway();
  generated.foreign = policies.find(PolicyDb::kForeignKey);
  const auto damaged = [&](const char* file, std::string_view row) {
    throw Fault("read generation", (from / file).string(),
                "damaged: " + escape_untrusted(row.substr(0, 80)));
  };
  const std::string table = read_part(from / "domains.tsv");
  if (!table.starts_with(kTableHeader)) damaged("domains.tsv", "header");
  std::string_view rows = std::string_view(table).substr(kTableHeader.size());
  for (const auto row : split(rows, '\n')) {
    if (row.empty()) continue;
    auto one = parse_row(row);
    auto policy = one ? policies.find_own(one->name) : std::nullopt;
    if (!policy || policy->name != one->name ||
        (!generated.hosted.empty() && generated.hosted.back().name >= one->name)) {
      damaged("domains.tsv", row);
    }
    one->policy = *std::move(policy);
    generated.hosted.push_back(*std::move(one));
  }
  const std::string main_cf = read_part(from / "main.cf");
  for (const auto line : split(main_cf, '\n')) {
    if (line.empty()) continue;
    const auto equals = line.find(" =");
    if (equals == std::string_view::npos) damaged("main.cf", line);
    generated.main_cf.emplace_back(line.substr(0, equals), trim(line.substr(equals + 2)));
  }
  const std::string master_cf = read_part(from / "master.cf");
  for (const auto line : split(master_cf, '\n')) {
    if (!line.empty()) generated.master_cf.emplace_back(line);
  }
  return generated;
}

std::uint64_t Generations::write(const Generated& generated, GenerationMeta meta) const {
  std::uint64_t last = 0;
  for (const auto& entry : fs::directory_iterator(state_ / "generations")) {
    last = std::max(last, parse_unsigned(entry.path().filename().string()).value_or(0));
  }
  meta.number = last + 1;
  meta.domains = meta.removed = 0;
  for (const auto& one : generated.hosted) {
    if (one.is_relayed()) ++meta.domains;
    if (one.is_kept()) ++meta.removed;
  }

  const auto final_place = directory(meta.number);
  const fs::path partial = final_place.string() + kPartial;
  make_directory(partial);
  try {
    {
      ConstDbWriter policies(partial / kPolicy);
      auto gateway = generated.gateway;
      gateway.generation = meta.number;
      policies.add(PolicyDb::kGatewayKey, encode(gateway));
      policies.add(PolicyDb::kForeignKey, encode(generated.foreign));
      for (const auto& one : generated.hosted) {
        policies.add(one.name, encode(one.policy));
      }
      policies.commit();
    }
    write_map(partial, kRelayDomains, relay_domain_lines(generated.hosted));
    write_map(partial, kTransport, transport_lines(generated.hosted));
    std::string main_cf;
    for (const auto& [name, value] : generated.main_cf) {
      main_cf += value.empty() ? name + " =\n" : fmt::format("{} = {}\n", name, value);
    }
    write_file(partial / "main.cf", main_cf);
    std::string master_cf;
    for (const auto& line : generated.master_cf) master_cf += line + "\n";
    write_file(partial / "master.cf", master_cf);
    write_file(partial / "attach.sh", attach_script(generated), 0755);
    write_file(partial / "domains.tsv", render_table(generated.hosted));
    write_file(partial / "meta", render_meta(meta));
    prove(partial, generated, meta.number);
    if (::rename(partial.c_str(), final_place.c_str()) != 0) {
      throw Fault("publish generation", final_place.string(), errno_text(errno));
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
    throw;
  }
  sync_directory(state_ / "generations");
  return meta.number;
}

void Generations::prove(const fs::path& directory, const Generated& generated,
                        std::uint64_t number) const {
  const PolicyDb policies(directory / kPolicy);
  if (policies.gateway().generation != number || policies.find("") != generated.foreign) {
    throw Fault("prove generation", directory.string(), "settings of the gateway");
  }
  for (const auto& one : generated.hosted) {
    if (policies.find_own(one.name) != one.policy) {
      throw Fault("prove generation", directory.string(), "policy of " + one.name);
    }
  }
  prove_map(directory, kRelayDomains, relay_domain_lines(generated.hosted));
  prove_map(directory, kTransport, transport_lines(generated.hosted));
}

void Generations::point(const char* link, std::uint64_t number) const {
  replace_link(state_ / link, fmt::format("generations/{}", number));
}

void Generations::touch_maps(std::uint64_t number) const {
  for (const char* const name : {kRelayDomains, kTransport}) {
    const auto path = directory(number) / fmt::format("{}.cdb", name);
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) continue;  // pruned
    // Postfix compares whole seconds; the last touch may be of this one.
    const timespec now{std::max(::time(nullptr), found.st_mtim.tv_sec + 1), 0};
    const timespec times[2] = {{0, UTIME_OMIT}, now};
    if (::utimensat(AT_FDCWD, path.c_str(), times, 0) != 0) {
      throw Fault("touch", path.string(), errno_text(errno));
    }
  }
}

void Generations::prune(Time since) const {
  std::map<std::uint64_t, GenerationMeta> known;
  for (auto& one : list()) known.emplace(one.number, std::move(one));
  std::set<std::uint64_t> keep;
  std::uint64_t in_force = 0;
  for (const char* const link : {kCurrent, kCurrentPostfix}) {
    auto number = number_of(link).value_or(0);
    in_force = std::max(in_force, number);
    keep.insert(number);
    auto one = known.find(number);
    for (std::size_t n = 1; n < kKeepMost && one != known.end(); ++n) {
      keep.insert(one->second.previous);
      if (one->second.written <= since) break;
      one = known.find(one->second.previous);
    }
  }
  std::vector<std::uint64_t> whole;
  for (const auto& entry : fs::directory_iterator(state_ / "generations")) {
    const std::string name = entry.path().filename().string();
    if (const auto number = parse_unsigned(name)) {
      whole.push_back(*number);
    } else if (name.ends_with(kPartial)) {
      fs::remove_all(entry.path());
    }
  }
  std::sort(whole.rbegin(), whole.rend());
  // The number of the last is not to be used again: a milter may have taken it, and tells
  // generations apart by their numbers.
  if (!whole.empty()) keep.insert(whole.front());
  std::size_t taken = 0;
  for (const auto number : whole) {
    const bool is_recent = number <= in_force && ++taken <= kKeep;
    if (is_recent || keep.contains(number)) continue;
    // Renamed first, so that a crash leaves none that is there in part.
    const fs::path partial = directory(number).string() + kPartial;
    fs::rename(directory(number), partial);
    fs::remove_all(partial);
  }
}

}  // namespace mxfeed
