// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/fingerprint.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

#include "milters/virus/scan/without_blanks.h"

namespace mxfeed::virus {
namespace {

// Chosen once; processes forked later share it.
std::uint64_t key() {
  static const std::uint64_t chosen = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32 | device()) | 1;
  }();
  return chosen;
}

__extension__ using Wide = unsigned __int128;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const Wide product = Wide{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t step(std::uint64_t state, const char* eight, std::uint64_t key) {
  std::uint64_t word;
  std::memcpy(&word, eight, sizeof word);
  return mix(state ^ word ^ 0x9e3779b97f4a7c15, key ^ 0xd6e8feb86659fd93) + word;
}

}  // namespace

void Digest::add(std::string_view bytes) {
  const std::uint64_t own_key = key();
  length_ += bytes.size();
  if (held_ > 0) {
    const std::size_t taken = std::min(sizeof rest_ - held_, bytes.size());
    std::memcpy(rest_ + held_, bytes.data(), taken);
    held_ += taken;
    bytes.remove_prefix(taken);
    if (held_ < sizeof rest_) return;
    state_ = step(state_, rest_, own_key);
    held_ = 0;
  }
  while (bytes.size() >= sizeof rest_) {
    state_ = step(state_, bytes.data(), own_key);
    bytes.remove_prefix(sizeof rest_);
  }
  if (!bytes.empty()) std::memcpy(rest_, bytes.data(), bytes.size());
  held_ = bytes.size();
}

std::uint64_t Digest::value() const {
  char last[sizeof rest_] = {};
  std::memcpy(last, rest_, held_);
  return mix(step(state_, last, key()) ^ length_, key());
}

void Fingerprint::add(std::string_view bytes) {
  size += bytes.size();
  exact.add(bytes);
  constexpr std::size_t kPiece = 4096;
  std::array<char, kPiece + kCopyMargin> kept;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    loose.add({kept.data(), copy_without_blanks(piece, kept.data())});
    bytes.remove_prefix(piece.size());
  }
}

void Seen::add(std::string_view object, bool as_mail) {
  Fingerprint fingerprint;
  fingerprint.add(object);
  exact_.insert(fingerprint.exact.value());
  loose_.insert(fingerprint.loose.value());
  if (as_mail) mail_.insert(fingerprint.loose.value());
  ++objects_;
}

bool Seen::has_exact(const Fingerprint& part) const {
  return exact_.contains(part.exact.value());
}

bool Seen::has_loose(const Fingerprint& part) const {
  return loose_.contains(part.loose.value());
}

bool Seen::has_mail(const Fingerprint& part) const {
  return mail_.contains(part.loose.value());
}

}  // namespace mxfeed::virus
