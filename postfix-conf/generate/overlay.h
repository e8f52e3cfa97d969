// SPDX-License-Identifier: GPL-2.0-or-later
//
// The tables of the keeper that come before those of the generation:
//   <state>/keeper/transport         routes, while a server is tried out or must not be
//                                    delivered to
//   <state>/keeper/recipient_access  what new mail gets, while a queue is full or the
//                                    main server of a backup answers
// Postfix defers all mail if one is missing, so they are there, empty, before Postfix
// looks for them.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postfix-conf/generate/rows.h"

namespace mxfeed {

// Without ".cdb".
std::filesystem::path overlay_path(const std::filesystem::path& state);
std::filesystem::path intake_overlay_path(const std::filesystem::path& state);

// Makes those that are missing.  Throws Fault.
void ensure_overlays(const std::filesystem::path& state);

// Key and value.
using OverlayLines = std::vector<std::pair<std::string, std::string>>;

// Adds those of the domain, and of the names below it if it takes mail for them.
void add_overlay_lines(const Hosted& hosted, std::string_view value, OverlayLines& lines);

// Writes the table and, beside it, its text, unless that has these lines already.
// Returns whether it was written.  Throws Fault.
bool write_overlay(const std::filesystem::path& path, const OverlayLines& lines);

}  // namespace mxfeed
