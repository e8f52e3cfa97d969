// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which recipients may share a transaction.  A message has one content, so recipients
// whose content policies differ cannot: the first accepted recipient sets the class, and
// a recipient of another class is deferred.  From then on every further recipient is
// deferred, whatever its class: some senders lose recipients when a 250 follows a 452.

#pragma once

#include <cstdint>
#include <optional>

namespace mxfeed::virus {

// The recipients of one transaction, in their order.
class Gate {
 public:
  // Whether a recipient of this content class may join.  Class 0, the domains that are
  // not ours, is a class like any other.
  [[nodiscard]] bool admit(std::uint32_t content_class);

 private:
  std::optional<std::uint32_t> class_;
  bool closed_ = false;
};

}  // namespace mxfeed::virus
