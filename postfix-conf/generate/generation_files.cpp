// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/generate/generation_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/parallel.h"
#include "common/base/text.h"
#include "common/policy/constdb.h"
#include "common/policy/policy_db.h"
#include "postfix-conf/generate/main_cf.h"
#include "postfix-conf/generate/maps.h"
#include "postfix-conf/generate/sums.h"
#include "postfix-conf/generate/table.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPolicy = "policy.cdb";
constexpr const char* kTable = "domains.tsv";
constexpr const char* kMainCf = "main.cf";
constexpr const char* kMasterCf = "master.cf";
constexpr const char* kPatterns = "relay_recipients.regexp";
constexpr const char* kRecipients = "recipients.tsv";
constexpr const char* kMeta = "meta";

std::string database(const MapKind& kind) {
  return std::string(kind.name) + ".cdb";
}

// The files that read_generation() reads.
std::vector<std::string> sources() {
  return {kPolicy, kTable, kRecipients, kMainCf, kMasterCf};
}

// The files that follow from those.
std::vector<std::string> derived_files() {
  std::vector<std::string> files = {kPatterns, kMailboxFile};
  for (const auto* const kind : kMaps) {
    files.emplace_back(kind->name);
    files.push_back(database(*kind));
  }
  return files;
}

std::vector<std::string> all_files() {
  auto files = sources();
  files.emplace_back(kMeta);
  for (auto& file : derived_files()) files.push_back(std::move(file));
  return files;
}

// A file written piece by piece, in a directory that is not in use yet.
class TextFile {
 public:
  explicit TextFile(const fs::path& path, mode_t mode = 0644)
      : path_(path),
        fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)) {
    if (!fd_ || ::fchmod(fd_.get(), mode) != 0) fail("create");
  }
  void add(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= kBuffer) flush();
  }
  void commit() {
    flush();
    if (::fsync(fd_.get()) != 0) fail("write");
  }

 private:
  static constexpr std::size_t kBuffer = 256 * 1024;

  void flush() {
    if (!write_all(fd_.get(), buffer_)) fail("write");
    buffer_.clear();
  }
  [[noreturn]] void fail(const char* doing) const {
    throw Fault(doing, path_.string(), errno_text(errno));
  }

  const fs::path path_;
  const Fd fd_;
  std::string buffer_;
};

void write_text(const fs::path& path, std::string_view text) {
  TextFile file(path);
  file.add(text);
  file.commit();
}

std::vector<EncodedPolicy> encoded(const Generated& generated) {
  return {generated.policies.begin(), generated.policies.end()};
}

GatewayPolicy numbered(GatewayPolicy gateway, std::uint64_t number) {
  gateway.generation = number;
  return gateway;
}

void write_policies(const fs::path& file, const Generated& generated,
                    std::uint64_t number) {
  const auto policies = encoded(generated);
  ConstDbWriter writer(file);
  writer.add(PolicyDb::kGatewayKey, encode(numbered(generated.gateway, number)));
  writer.add(PolicyDb::kForeignKey, encode(generated.foreign));
  std::string value;
  for (const auto& one : generated.hosted) {
    value.clear();
    policies.at(one.policy).append_value(one.name, one.below != Row::none, value);
    writer.add(one.name, value);
  }
  writer.commit();
}

void write_map(const fs::path& directory, const MapKind& kind,
               const Generated& generated) {
  // The source first: Postfix warns of a map that is older than it.
  TextFile source(directory / kind.name);
  source.add(kMapComment);
  ConstDbWriter map(directory / database(kind));
  each_line(kind, generated, [&](std::string_view key, std::string_view value) {
    for (const std::string_view part :
         {key, std::string_view("\t"), value, std::string_view("\n")}) {
      source.add(part);
    }
    map.add(key, value);
  });
  source.commit();
  map.commit();
}

std::string main_cf_text(const Generated& generated) {
  std::string text;
  for (const auto& [name, value] : generated.main_cf) {
    text += value.empty() ? name + " =\n" : fmt::format("{} = {}\n", name, value);
  }
  return text;
}

// Compares a database with its expected entries.
class Proof {
 public:
  explicit Proof(const fs::path& file) : file_(file), db_(file), scan_(db_) {}

  void expect(std::string_view key, std::string_view value) {
    if (!scan_.next() || scan_.key() != key || scan_.value() != value) {
      throw Fault("prove generation", file_.string(),
                  "wrong entry for " + std::string(key));
    }
  }
  void finish() {
    if (scan_.next()) throw Fault("prove generation", file_.string(), "too many entries");
    scan_.prove();
  }

 private:
  const fs::path file_;
  const ConstDb db_;
  ConstDbScan scan_;
};

void prove_policies(const fs::path& directory, const Generated& generated,
                    std::uint64_t number) {
  // Each policy once, as the milters read it.
  for (const auto& policy : generated.policies) {
    if (decode_domain_policy(encode(policy)) != policy) {
      throw Fault("prove generation", directory.string(), "a policy cannot be read back");
    }
  }
  const auto policies = encoded(generated);
  Proof proof(directory / kPolicy);
  proof.expect(PolicyDb::kGatewayKey, encode(numbered(generated.gateway, number)));
  proof.expect(PolicyDb::kForeignKey, encode(generated.foreign));
  std::string value;
  for (const auto& one : generated.hosted) {
    value.clear();
    policies.at(one.policy).append_value(one.name, one.below != Row::none, value);
    proof.expect(one.name, value);
  }
  proof.finish();
}

void prove_map(const fs::path& directory, const MapKind& kind,
               const Generated& generated) {
  Proof proof(directory / database(kind));
  each_line(kind, generated, [&](std::string_view key, std::string_view value) {
    proof.expect(key, value);
  });
  proof.finish();
}

void write_table(const fs::path& file, const Generated& generated) {
  TextFile table(file);
  render_table(generated, [&](std::string_view piece) { table.add(piece); });
  table.commit();
}

// A line for each: the domain, the local part.
void write_recipients(const fs::path& path, const Generated& generated) {
  TextFile file(path);
  for (const auto& [domain, local_parts] : generated.recipients) {
    for (const auto& one : local_parts) {
      for (const std::string_view part :
           {std::string_view(domain), std::string_view("\t"), std::string_view(one),
            std::string_view("\n")}) {
        file.add(part);
      }
    }
  }
  file.commit();
}

// Nobody can log in with it.
constexpr std::string_view kNoPassword = "{CRYPT}!";
// The other fields of passwd(5) are empty, but without them Dovecot sees no user.
constexpr std::string_view kNoMore = "::::::";

void write_mailboxes(const fs::path& path, const Generated& generated) {
  TextFile file(path, 0600);
  for (const auto& one : generated.mailboxes) {
    file.add(fmt::format("{}@{}:{}{}\n", one.user, one.domain,
                         one.password.empty() ? kNoPassword : one.password, kNoMore));
  }
  file.commit();
  give_to_dovecot(path);
}

std::string read_part(const fs::path& file) {
  auto text = read_regular_file(file, std::size_t{4} << 30);
  if (!text) throw Fault("read generation", file.string(), "no such file");
  return *std::move(text);
}

[[noreturn]] void damaged(const fs::path& file, std::string_view where) {
  throw Fault("read generation", file.string(),
              "damaged: " + escape_untrusted(where.substr(0, 80)));
}

// Earlier versions have no such file.
void read_recipients(const fs::path& path, Generated& generated) {
  const auto text = read_regular_file(path, std::size_t{4} << 30);
  if (!text) return;
  for (const auto line : split(*text, '\n')) {
    if (line.empty()) continue;
    const auto tab = line.find('\t');
    if (tab == 0 || tab == std::string_view::npos) damaged(path, line);
    const auto domain = line.substr(0, tab);
    auto found = generated.recipients.find(domain);
    if (found == generated.recipients.end()) {
      found = generated.recipients.emplace(domain, std::vector<std::string>()).first;
    }
    found->second.emplace_back(line.substr(tab + 1));
  }
}

// Not all who read a generation may read its passwords, and early ones have none.
bool can_read(const fs::path& file) {
  return ::access(file.c_str(), R_OK) == 0;
}

void read_mailboxes(const fs::path& path, Generated& generated) {
  if (!can_read(path)) return;
  const std::string text = read_part(path);
  for (const auto line : split(text, '\n')) {
    if (line.empty()) continue;
    const auto at = line.find('@');
    const auto colon = line.find(':');
    if (at == std::string_view::npos || colon == std::string_view::npos || colon < at) {
      damaged(path, "a line without @ or :");
    }
    auto password = line.substr(colon + 1);
    password = password.substr(0, password.find(':'));
    generated.mailboxes.push_back({std::string(line.substr(at + 1, colon - at - 1)),
                                   std::string(line.substr(0, at)),
                                   std::string(password == kNoPassword ? "" : password)});
  }
}

// Sets the policies of the rows from the database, which has the same order.
void read_policies(const fs::path& file, Generated& generated) {
  const PolicyDb policies(file);
  generated.gateway = policies.gateway();
  generated.foreign = policies.find(PolicyDb::kForeignKey);
  const ConstDb db(file);
  ConstDbScan scan(db);
  PolicyIndex index(generated.policies);
  std::unordered_map<std::string, std::uint32_t> seen;  // by their shared part
  auto known = seen.end();
  auto row = generated.hosted.begin();
  while (scan.next()) {
    if (scan.key() == PolicyDb::kGatewayKey || scan.key() == PolicyDb::kForeignKey) {
      continue;
    }
    if (row == generated.hosted.end() || scan.key() != row->name) {
      damaged(file, scan.key());
    }
    const auto stored = split_policy(scan.value());
    if (!stored || stored->name != row->name ||
        stored->subdomains != (row->below != Row::none)) {
      damaged(file, row->name);
    }
    // Adjacent domains mostly have the same policy.
    if (known == seen.end() || known->first != stored->shared) {
      known = seen.find(std::string(stored->shared));
    }
    if (known == seen.end()) {
      auto policy = decode_domain_policy(scan.value());
      if (!policy) damaged(file, row->name);
      known = seen.emplace(stored->shared, index.add(*std::move(policy))).first;
    }
    row->policy = known->second;
    ++row;
  }
  if (row != generated.hosted.end()) damaged(file, row->name);
}

std::vector<std::string> readable(const fs::path& directory,
                                  std::vector<std::string> files) {
  const fs::path mailboxes = directory / kMailboxFile;
  if (fs::exists(mailboxes) && !can_read(mailboxes)) std::erase(files, kMailboxFile);
  return files;
}

}  // namespace

void give_to_dovecot(const fs::path& file) {
  constexpr const char* kGroup = "dovecot";
  const ::group* const group = ::getgrnam(kGroup);
  // Only root can, and only then does it matter.
  if (group == nullptr || ::geteuid() != 0) return;
  if (::chown(file.c_str(), 0, group->gr_gid) != 0) {
    // A user namespace may not have the group, and then no Dovecot either.
    if (errno == EINVAL) return;
    throw Fault("give to dovecot", file.string(), errno_text(errno));
  }
  if (::chmod(file.c_str(), 0640) != 0) {
    throw Fault("give to dovecot", file.string(), errno_text(errno));
  }
}

void write_generation(const fs::path& directory, const Generated& generated,
                      const GenerationMeta& meta) {
  // The large files are written in parallel.
  std::vector<std::function<void()>> work = {
      [&] {
        write_policies(directory / kPolicy, generated, meta.number);
        prove_policies(directory, generated, meta.number);
      },
      [&] { write_table(directory / kTable, generated); },
      [&] { write_recipients(directory / kRecipients, generated); },
      [&] { write_mailboxes(directory / kMailboxFile, generated); }};
  for (const auto* const kind : kMaps) {
    work.emplace_back([&, kind] {
      write_map(directory, *kind, generated);
      prove_map(directory, *kind, generated);
    });
  }
  for_each_on_all_cores(work.size(), [&](std::size_t i) { work[i](); });
  write_text(directory / kMainCf, main_cf_text(generated));
  std::string master_cf;
  for (const auto& line : generated.master_cf) master_cf += line + "\n";
  write_text(directory / kMasterCf, master_cf);
  write_text(directory / kPatterns, relay_recipient_patterns(generated));
  write_text(directory / kMeta, render(meta));
  write_sums(directory, all_files());
}

Generated read_generation(const fs::path& directory) {
  check_sums(directory, sources());
  Generated generated;
  {
    const auto file = directory / kTable;
    auto table = parse_table(read_part(file), file.string());
    generated.hosted = std::move(table.hosted);
    generated.unknown = std::move(table.unknown);
  }
  read_policies(directory / kPolicy, generated);
  read_recipients(directory / kRecipients, generated);
  read_mailboxes(directory / kMailboxFile, generated);
  const std::string main_cf = read_part(directory / kMainCf);
  for (const auto line : split(main_cf, '\n')) {
    if (line.empty()) continue;
    const auto equals = line.find(" =");
    if (equals == std::string_view::npos) damaged(directory / kMainCf, line);
    generated.main_cf.emplace_back(line.substr(0, equals), trim(line.substr(equals + 2)));
  }
  const std::string master_cf = read_part(directory / kMasterCf);
  for (const auto line : split(master_cf, '\n')) {
    if (!line.empty()) generated.master_cf.emplace_back(line);
  }
  upgrade_main_cf(generated);
  return generated;
}

GenerationMeta read_meta(const fs::path& directory, std::uint64_t number) {
  const auto file = directory / kMeta;
  auto meta = parse_meta(read_part(file), file.string());
  check_sums(directory, {kMeta});
  if (meta.number != number) {
    throw Fault("read generation", file.string(), "belongs to another generation");
  }
  return meta;
}

bool check_files(const fs::path& directory) {
  return check_sums(directory, readable(directory, all_files()));
}

bool check_other_files(const fs::path& directory) {
  return check_sums(directory, readable(directory, derived_files()));
}

}  // namespace mxfeed
