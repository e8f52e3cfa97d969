// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/put_off.h"

#include <functional>
#include <random>
#include <string>

#include "common/base/text.h"

namespace mxfeed::virus {
namespace {

std::uint64_t random_seed() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

// Pools retry from another address of their network.
std::string network_of(const Client& client) {
  if (!client.address) return {};
  return client.address->network(client.address->is_v4() ? 24 : 64);
}

}  // namespace

PutOff::PutOff(std::size_t most) : most_(most), seed_(random_seed()) {}

PutOff::Key PutOff::key_of(const Envelope& envelope, const Recipient& recipient) const {
  std::string text(reinterpret_cast<const char*>(&seed_), sizeof seed_);
  for (const std::string& part :
       {network_of(envelope.client), ascii_lower(envelope.sender),
        ascii_lower(recipient.local_part), ascii_lower(recipient.domain)}) {
    text.append(part).push_back('\0');
  }
  return std::hash<std::string>()(text);
}

void PutOff::note(const Envelope& envelope, const Recipient& recipient, Time now) {
  const Key key = key_of(envelope, recipient);
  const std::lock_guard lock(mutex_);
  forget(now);
  if (!first_.emplace(key, now).second) return;
  by_time_.emplace_back(now, key);
}

bool PutOff::comes_again(const Envelope& envelope, const Recipient& recipient, Time now) {
  const Key key = key_of(envelope, recipient);
  const std::lock_guard lock(mutex_);
  forget(now);
  const auto found = first_.find(key);
  // A clock that was set back makes it come later.
  return found != first_.end() && now - found->second >= kAgain;
}

void PutOff::forget(Time now) {
  while (!by_time_.empty() &&
         (by_time_.size() > most_ || now - by_time_.front().first > kMemory)) {
    first_.erase(by_time_.front().second);
    by_time_.pop_front();
  }
}

}  // namespace mxfeed::virus
