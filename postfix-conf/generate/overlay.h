// SPDX-License-Identifier: GPL-2.0-or-later
//
// The table of routes that comes before that of the generation: <state>/keeper/transport.
// The keeper writes it, while a server is tried out or must not be delivered to.  Postfix
// defers all mail if it is missing, so it is there, empty, before Postfix looks for it.

#pragma once

#include <filesystem>

namespace mxfeed {

// Without ".cdb".
std::filesystem::path overlay_path(const std::filesystem::path& state);

// Makes it if it is missing.  Throws Fault.
void ensure_overlay(const std::filesystem::path& state);

}  // namespace mxfeed
