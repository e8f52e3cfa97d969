// SPDX-License-Identifier: GPL-2.0-or-later
//
// The file in which a model is published for the milter.
//
//   kHeaderBytes: "mxfeedW1", length (4) and CRC-32 (4) of the facts, CRC-32 of the
//   weights
//     (4), the facts as tagged fields; the rest is zero
//   kBuckets weights, IEEE 754 single precision; all numbers little-endian

#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "milters/spam/model/model.h"

namespace mxfeed::spam {

inline constexpr std::size_t kHeaderBytes = 4096;
inline constexpr std::size_t kSnapshotBytes = kHeaderBytes + kBuckets * sizeof(float);

// The file's content.
std::string snapshot_bytes(const ModelFacts& facts, const Weights& weights);

// Writes the file in one step (write_file()).  Throws Fault.
void publish(const std::filesystem::path& file, const ModelFacts& facts,
             const Weights& weights);

// A published model, mapped.  Immutable, thread-safe.
class Snapshot {
 public:
  // Nothing if there is no such file.  Throws Fault for one that is damaged or of another
  // version of features.  The file must only ever be replaced, as publish() does.
  static std::unique_ptr<Snapshot> open(const std::filesystem::path& file);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  const ModelFacts& facts() const { return facts_; }
  std::span<const float> weights() const { return weights_; }

 private:
  explicit Snapshot(std::string_view mapped) : mapped_(mapped) {}

  std::string_view mapped_;
  ModelFacts facts_;
  std::span<const float> weights_;
};

}  // namespace mxfeed::spam
