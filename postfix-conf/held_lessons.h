// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the quarantine holds for the spam classifier to learn from.

#pragma once

#include <filesystem>
#include <memory>

#include "milters/spam/commands/held_lessons.h"

namespace mxfeed::quarantine {

// Those in the store of this host, which is read and changed as the quarantine's user.
// Null if there is no store.
std::unique_ptr<spam::HeldLessons> open_lessons(const std::filesystem::path& state);

}  // namespace mxfeed::quarantine
