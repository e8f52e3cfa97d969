// SPDX-License-Identifier: GPL-2.0-or-later
//
// Addresses and servers as the tests of knowledge need them, at one moment.

#pragma once

#include "postfix-conf/recipients/knowledge.h"

namespace mxfeed::recipients {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Standing = Address::Standing;
using Source = Address::Source;

inline constexpr Time kNow{hours(24 * 365 * 50)};
inline constexpr hours kDay{24};

constexpr Time ago(seconds age) {
  return kNow - age;
}

inline Address address(Standing standing, seconds age, Source source = Source::call_out) {
  return {standing, ago(age), source};
}

inline Server tells_apart() {
  Server server;
  server.random_at = ago(minutes(10));
  server.accepted_at = ago(minutes(10));
  return server;
}
inline Server down(seconds since_last_attempt) {
  Server server = tells_apart();
  server.failed_at = ago(since_last_attempt);
  return server;
}
inline Server catch_all(seconds age) {
  Server server;
  server.random_at = ago(age);
  server.takes_random = true;
  return server;
}
inline Server not_askable(seconds age) {
  Server server;
  server.not_askable_at = ago(age);
  return server;
}
inline Server unclear_for(seconds age) {
  Server server = tells_apart();
  server.unclear_since = ago(age);
  return server;
}
inline Server recovered(seconds age) {
  Server server = tells_apart();
  server.recovered_at = ago(age);
  return server;
}
inline Server both_down_and_catch_all(seconds age) {
  Server server = catch_all(age);
  server.failed_at = ago(seconds(5));
  return server;
}

}  // namespace mxfeed::recipients
