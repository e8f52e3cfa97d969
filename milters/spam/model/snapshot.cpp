// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/snapshot.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "common/base/crc32.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/u32.h"
#include "common/policy/tagged_value.h"

namespace mxfeed::spam {
namespace {

static_assert(std::endian::native == std::endian::little && sizeof(float) == 4,
              "weights are mapped as they are stored");

constexpr std::string_view kMagic = "mxfeedW1";
constexpr std::size_t kFactsAt = 20;
constexpr char kKind = 'W';

// One table of the fields for both directions.
template <typename Each, typename Facts>
void each_field(Each& each, Facts& facts, unsigned& version) {
  each(1, version);
  each(2, facts.counts.ham);
  each(3, facts.counts.spam);
  each(6, facts.made);
  unsigned tag = 10;
  for (auto& row : facts.reliability.rows()) {
    each(tag++, row.ham);
    each(tag++, row.spam);
  }
  each(20, facts.combiner);
}

std::optional<ModelFacts> parse_facts(std::string_view bytes) {
  ModelFacts facts;
  unsigned version = 0;
  std::string unknown;
  TaggedReader reader(kKind, bytes);
  each_field(reader, facts, version);
  if (!reader.finish(unknown) || version != kFeatureVersion) return std::nullopt;
  return facts;
}

// The facts, if the whole content is sound.
std::optional<ModelFacts> proved(std::string_view bytes) {
  if (bytes.size() != kSnapshotBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  const std::size_t length = u32_at(bytes, 8);
  if (length > kHeaderBytes - kFactsAt) return std::nullopt;
  const std::string_view facts = bytes.substr(kFactsAt, length);
  if (crc32(facts) != u32_at(bytes, 12)) return std::nullopt;
  if (crc32(bytes.substr(kHeaderBytes)) != u32_at(bytes, 16)) return std::nullopt;
  return parse_facts(facts);
}

}  // namespace

std::string snapshot_bytes(const ModelFacts& facts, const Weights& weights) {
  TaggedWriter writer(kKind, "");
  unsigned version = kFeatureVersion;
  each_field(writer, facts, version);
  const std::string tagged = std::move(writer).finish();
  const std::string_view raw(reinterpret_cast<const char*>(weights.data()),
                             weights.size() * sizeof(float));
  std::string bytes(kMagic);
  put_u32(bytes, static_cast<std::uint32_t>(tagged.size()));
  put_u32(bytes, crc32(tagged));
  put_u32(bytes, crc32(raw));
  bytes += tagged;
  bytes.resize(kHeaderBytes);
  bytes += raw;
  return bytes;
}

void publish(const std::filesystem::path& file, const ModelFacts& facts,
             const Weights& weights) {
  write_file(file, snapshot_bytes(facts, weights), 0640);
}

std::unique_ptr<Snapshot> Snapshot::open(const std::filesystem::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return nullptr;
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    throw Fault("open model", file.string(), errno_text(errno));
  }
  if (!S_ISREG(status.st_mode) || status.st_size != static_cast<off_t>(kSnapshotBytes)) {
    throw Fault("open model", file.string(), "not a model of this version");
  }
  void* const mapped =
      ::mmap(nullptr, kSnapshotBytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd.get(), 0);
  if (mapped == MAP_FAILED) throw Fault("map model", file.string(), errno_text(errno));
  const auto* const bytes = static_cast<const char*>(mapped);
  std::unique_ptr<Snapshot> snapshot(new Snapshot({bytes, kSnapshotBytes}));
  const auto facts = proved(snapshot->mapped_);
  if (!facts) throw Fault("open model", file.string(), "damaged, or of another version");
  snapshot->facts_ = *facts;
  snapshot->weights_ = {reinterpret_cast<const float*>(bytes + kHeaderBytes), kBuckets};
  return snapshot;
}

Snapshot::~Snapshot() {
  ::munmap(const_cast<char*>(mapped_.data()), mapped_.size());
}

}  // namespace mxfeed::spam
