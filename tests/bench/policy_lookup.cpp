// SPDX-License-Identifier: GPL-2.0-or-later
//
// Time of a look-up in PolicyDb: of a domain that is there, and of an unknown one (which
// asks for its parents too).  Usage: policy_lookup [domains] (default: 100000).

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/policy/policy_db.h"

namespace {

using namespace mxfeed;

std::string name(std::uint64_t i) {
  return fmt::format("customer{}.mail.example", i);
}

template <typename Ask>
double nanoseconds_each(const std::vector<std::string>& names, Ask ask) {
  std::size_t sum = 0;
  const auto start = std::chrono::steady_clock::now();
  for (const auto& one : names) sum += ask(one);
  const std::chrono::duration<double, std::nano> took =
      std::chrono::steady_clock::now() - start;
  if (sum == 42) fmt::print(" ");  // so that nothing is optimised away
  return took.count() / static_cast<double>(names.size());
}

}  // namespace

int main(int argc, char** argv) {
  const auto domains = parse_unsigned(argc > 1 ? argv[1] : "100000").value_or(100'000);
  std::string directory = "/tmp/mxfeed-bench.XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  const auto file = std::filesystem::path(directory) / "policy.cdb";
  {
    ConstDbWriter writer(file);
    writer.add(PolicyDb::kGatewayKey, encode(GatewayPolicy{}));
    writer.add(PolicyDb::kForeignKey, encode(DomainPolicy{}));
    DomainPolicy policy;
    policy.spam.enabled = true;
    policy.spam.rules[1] = {SpamAction::subject, "[SPAM: low] "};
    policy.spam.rules[2] = {SpamAction::subject, "[SPAM: med] "};
    policy.spam.rules[3] = {SpamAction::discard, ""};
    for (std::uint64_t i = 0; i < domains; ++i) {
      policy.name = name(i);
      policy.content_class = static_cast<std::uint32_t>(1 + i % 5);
      writer.add(policy.name, encode(policy));
    }
    writer.commit();
  }
  const PolicyDb db(file);
  std::mt19937_64 random(1);
  std::vector<std::string> known, unknown;
  for (int i = 0; i < 1'000'000; ++i) {
    known.push_back(name(random() % domains));
    unknown.push_back(fmt::format("{}.host.provider.example", random()));
  }
  const auto find = [&](const std::string& one) { return db.find(one).content_class; };
  fmt::print("{} domains, file {} MiB\n", domains,
             std::filesystem::file_size(file) >> 20);
  fmt::print("known    {:6.0f} ns a look-up\n", nanoseconds_each(known, find));
  fmt::print("unknown  {:6.0f} ns a look-up\n", nanoseconds_each(unknown, find));
  std::filesystem::remove_all(directory);
  return 0;
}
