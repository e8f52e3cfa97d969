// SPDX-License-Identifier: GPL-2.0-or-later
//
// Makes the rows of settings tables.
//
//   flag<&DomainSettings::standby_mailboxes>("standby_mailboxes", "true"),
//   duration<&DomainSettings::queue_lifetime>("queue_lifetime", hours(1), hours(2400),
//                                             R"("36h")"),
//   choice<kServices, &DomainSettings::service>("service", R"("backup")"),
//   of_later_version<DomainSettings>("quota", SettingType::size, R"("1G")"),
//
// Several steps lead into a struct or an array: integer<&GatewayConfig::virus,
// &Virus::workers>(...).

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/base/time_text.h"
#include "postfix-conf/config/setting.h"

namespace mxfeed {

// ---- members

template <typename M>
struct MemberOf;
template <typename C, typename V>
struct MemberOf<V C::*> {
  using Class = C;
};

// A step is a member, or the index of an array.
template <auto step, typename T>
auto& step_into(T& target) {
  if constexpr (std::is_member_pointer_v<decltype(step)>) {
    return target.*step;
  } else {
    return target[static_cast<std::size_t>(step)];
  }
}

template <auto first, auto... rest, typename T>
auto& member(T& target) {
  if constexpr (sizeof...(rest) == 0) {
    return step_into<first>(target);
  } else {
    return member<rest...>(step_into<first>(target));
  }
}

// ---- values

inline Json to_json(bool value) {
  return value;
}
inline Json to_json(double value) {
  return value;
}
inline Json to_json(std::chrono::seconds value) {
  return format_duration(value);
}
inline Json to_json(Time value) {
  return value == Time() ? Json() : Json(format_time(value));
}
inline Json to_json(const std::string& value) {
  return value.empty() ? Json() : Json(value);
}
inline Json to_json(const Network& value) {
  return value.str();
}
inline Json to_json(const Endpoint& value) {
  return value.str();
}
template <typename V>
requires std::is_integral_v<V> Json to_json(V value) {
  return value;
}
template <typename V>
requires std::is_enum_v<V> Json to_json(V value) {
  return to_string(value);
}
template <typename V>
Json to_json(const std::optional<V>& value) {
  return value ? to_json(*value) : Json();
}
template <typename V>
Json to_json(const std::vector<V>& values) {
  if (values.empty()) return {};
  Json list = Json::list();
  for (const auto& value : values) list.add(to_json(value));
  return list;
}

// ---- rows

template <auto... path>
struct MemberPath;
template <auto first, auto... rest>
struct MemberPath<first, rest...> {
  using Owner = typename MemberOf<decltype(first)>::Class;
  static auto& in(Owner& target) { return member<first, rest...>(target); }
  static const auto& in(const Owner& target) { return member<first, rest...>(target); }
  static Json value(const Owner& settings) { return to_json(in(settings)); }
  static Json size(const Owner& settings) {
    return format_size(static_cast<std::uint64_t>(in(settings)));
  }

  template <typename V>
  static void store(const Entry& entry, const Setting<Owner>& row, Owner& target,
                    std::optional<V> given) {
    if (!given) return;
    auto& kept = in(target);
    kept = static_cast<std::remove_reference_t<decltype(kept)>>(*std::move(given));
    if (!row.has_effect && kept != in(Owner{})) entry.warn_no_effect();
  }
};

template <auto... path>
using OwnerOf = typename MemberPath<path...>::Owner;

// A reader of its own for the member.
template <auto... path>
constexpr auto custom(std::string_view key, SettingType type, std::string_view example,
                      void (*read)(const Entry&, const Setting<OwnerOf<path...>>&,
                                   OwnerOf<path...>&),
                      std::uint64_t least = 0, std::uint64_t most = 0) {
  using Member = MemberPath<path...>;
  return Setting<typename Member::Owner>{
      .key = key,
      .type = type,
      .example = example,
      .read = read,
      .value = Member::value,
      .least = least,
      .most = most,
  };
}

template <auto... path>
constexpr auto flag(std::string_view key, std::string_view example) {
  using Member = MemberPath<path...>;
  return custom<path...>(key, SettingType::flag, example,
                         [](const Entry& entry, const auto& row, auto& target) {
                           Member::store(entry, row, target, entry.flag());
                         });
}

template <auto... path>
constexpr auto integer(std::string_view key, std::uint64_t least, std::uint64_t most,
                       std::string_view example) {
  using Member = MemberPath<path...>;
  return custom<path...>(
      key, SettingType::integer, example,
      [](const Entry& entry, const auto& row, auto& target) {
        Member::store(entry, row, target, entry.number(row.least, row.most));
      },
      least, most);
}

template <auto... path>
constexpr auto duration(std::string_view key, std::chrono::seconds least,
                        std::chrono::seconds most, std::string_view example) {
  using Member = MemberPath<path...>;
  return custom<path...>(
      key, SettingType::duration, example,
      [](const Entry& entry, const auto& row, auto& target) {
        using std::chrono::seconds;
        Member::store(entry, row, target,
                      entry.duration(seconds(row.least), seconds(row.most)));
      },
      static_cast<std::uint64_t>(least.count()),
      static_cast<std::uint64_t>(most.count()));
}

// Time() is none.
template <auto... path>
constexpr auto time(std::string_view key, std::string_view example) {
  using Member = MemberPath<path...>;
  return custom<path...>(key, SettingType::time, example,
                         [](const Entry& entry, const auto& row, auto& target) {
                           Member::store(entry, row, target, entry.time());
                         });
}

template <auto... path>
constexpr auto size(std::string_view key, std::uint64_t least, std::uint64_t most,
                    std::string_view example) {
  using Member = MemberPath<path...>;
  auto row = custom<path...>(
      key, SettingType::size, example,
      [](const Entry& entry, const auto& one, auto& target) {
        Member::store(entry, one, target, entry.size(one.least, one.most));
      },
      least, most);
  row.value = Member::size;
  return row;
}

// 0 is no limit.
template <auto... path>
constexpr auto quota(std::string_view key, std::uint64_t most, std::string_view example) {
  using Member = MemberPath<path...>;
  auto row = size<path...>(key, 0, most, example);
  row.value = [](const typename Member::Owner& target) {
    return Member::in(target) == 0 ? Json() : Member::size(target);
  };
  return row;
}

// Printable ASCII of up to `most` characters.
template <auto... path>
constexpr auto text(std::string_view key, std::uint64_t most, std::string_view example) {
  using Member = MemberPath<path...>;
  return custom<path...>(
      key, SettingType::string, example,
      [](const Entry& entry, const auto& row, auto& target) {
        const auto given = entry.text(row.most);
        if (!given) return;
        Member::store(entry, row, target, std::optional(std::string(*given)));
      },
      0, most);
}

// One of the words of an enum: `words` is an array of its values.
template <const auto& words, auto... path>
constexpr auto choice(std::string_view key, std::string_view example) {
  using Member = MemberPath<path...>;
  return custom<path...>(key, SettingType::string, example,
                         [](const Entry& entry, const auto& row, auto& target) {
                           Member::store(entry, row, target, entry.one_of(words));
                         });
}

template <typename T>
void read_table(const Entry& entry, const Setting<T>& row, T& target) {
  if (auto table = entry.table()) table->read(row.rows(), SettingsOf::domain, target);
}

template <typename T>
constexpr Setting<T> table(std::string_view key, Settings<T> (*rows)(),
                           void (*read)(const Entry&, const Setting<T>&,
                                        T&) = read_table<T>) {
  return {
      .key = key, .type = SettingType::table, .example = {}, .read = read, .rows = rows};
}

// Checks that the value is of the type.
bool has_type(const Entry& entry, SettingType type);

// A key of a later version: its type is checked, nothing is kept.
template <typename T>
constexpr Setting<T> of_later_version(std::string_view key, SettingType type,
                                      std::string_view example) {
  return Setting<T>{.key = key,
                    .type = type,
                    .example = example,
                    .read =
                        [](const Entry& entry, const Setting<T>& row, T&) {
                          if (has_type(entry, row.type)) entry.warn_no_effect();
                        }}
      .later();
}

}  // namespace mxfeed
