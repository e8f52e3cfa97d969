// SPDX-License-Identifier: GPL-2.0-or-later
//
// The row of a settings table.  To add a key: a field in DomainPolicy if the milters get
// it, else a member in config.h; a row in settings/; a paragraph in mxfeed.toml(5).
// settings_test and compile_settings_test fail until they agree.

#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/json.h"
#include "postfix-conf/config/config.h"
#include "postfix-conf/config/section.h"

namespace mxfeed {

enum class SettingType : std::uint8_t {
  flag,
  integer,
  real,
  duration,
  size,
  time,
  string,
  strings,
  table,
  tables
};

// The table that is read: [[domain]], or [defaults], which lacks the keys of a single
// domain.
enum class SettingsOf : std::uint8_t { domain, defaults };

template <typename T>
using Settings = std::span<const Setting<T>>;

template <typename T>
struct Setting {
  std::string_view key;
  SettingType type;
  std::string_view example;  // a value, as TOML
  // Null: read by the caller of Section::read().
  void (*read)(const Entry& entry, const Setting& row, T& target);
  // As `mxfeed show` and the manual give it; null if nothing is kept.
  Json (*value)(const T& settings) = nullptr;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  bool has_effect = true;
  bool only_one_domain = false;
  Settings<T> (*rows)() = nullptr;  // of a table

  // Accepted with a warning: it has no effect yet.
  constexpr Setting later() const {
    Setting row = *this;
    row.has_effect = false;
    return row;
  }
  // Not in [defaults].
  constexpr Setting once() const {
    Setting row = *this;
    row.only_one_domain = true;
    return row;
  }
  constexpr bool is_of(SettingsOf kind) const {
    return kind == SettingsOf::domain || !only_one_domain;
  }
};

template <typename T>
void Section::read(std::span<const Setting<T>> rows, SettingsOf kind, T& target) {
  table_.each_member([&](std::string_view key, std::uint32_t line, TomlNode value) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const Setting<T>& one) {
      return one.key == key && one.is_of(kind);
    });
    if (is_taken(key)) return;
    if (row != rows.end()) {
      if (row->read == nullptr) return;
      const Entry entry(*this, row->key, value);
      if constexpr (requires { target.places; }) {
        if (row->rows == nullptr) target.places.set(*row, entry.place());
      }
      row->read(entry, *row, target);
    } else {
      std::vector<std::string_view> known(taken_);
      for (const auto& one : rows) {
        if (one.is_of(kind)) known.push_back(one.key);
      }
      unknown(key, line, known);
    }
  });
}

}  // namespace mxfeed
