// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/metrics.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace mxfeed {
namespace {

struct Family {
  bool gauge = false;
  std::map<std::string, std::unique_ptr<Metric>, std::less<>> members;  // by labels
};

struct Registry {
  std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;  // by name
};

// Never destroyed: worker threads may still count while the process exits.
Registry& registry() {
  static auto* const instance = new Registry;
  return *instance;
}

Metric& metric(std::string_view name, std::string_view labels, bool is_gauge) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  Family& family = all.families.try_emplace(std::string(name)).first->second;
  family.gauge = is_gauge;
  auto& member = family.members[std::string(labels)];
  if (!member) member = std::make_unique<Metric>();
  return *member;
}

}  // namespace

Metric& counter(std::string_view name, std::string_view labels) {
  return metric(name, labels, false);
}
Metric& gauge(std::string_view name, std::string_view labels) {
  return metric(name, labels, true);
}

std::string render_metrics() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::string text;
  for (const auto& [name, family] : all.families) {
    text += fmt::format("# TYPE {} {}\n", name, family.gauge ? "gauge" : "counter");
    for (const auto& [labels, member] : family.members) {
      text += labels.empty()
                  ? fmt::format("{} {}\n", name, member->value())
                  : fmt::format("{}{{{}}} {}\n", name, labels, member->value());
    }
  }
  return text;
}

}  // namespace mxfeed
