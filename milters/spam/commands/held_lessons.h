// SPDX-License-Identifier: GPL-2.0-or-later
//
// Messages that are held for the classifier to learn from.  The program that has the
// quarantine gives them.

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/mail/held_address.h"

namespace mxfeed::spam {

struct HeldLesson {
  std::int64_t id = 0;
  HeldAddress address;
  std::string sender;
  std::string content;  // the message, or its beginning if it is very long
  std::string fault;    // why the content cannot be read; else empty
};

// All functions throw Fault.
class HeldLessons {
 public:
  virtual ~HeldLessons() = default;

  // Each message that is held and teaches(), in the order of arrival, until `see` has
  // taken `most`: it returns whether it takes the message.
  virtual void each(std::size_t most,
                    const std::function<bool(const HeldLesson&)>& see) = 0;
  // They have been learned.
  virtual void remove(const std::vector<std::int64_t>& ids) = 0;
};

// Null if nothing was ever held on this host.
using OpenLessons =
    std::function<std::unique_ptr<HeldLessons>(const std::filesystem::path& state)>;

}  // namespace mxfeed::spam
