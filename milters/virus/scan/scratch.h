// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where scans unpack: a private directory, in memory if possible, with one directory for
// each process in it.
//
// libclamav calls a mail clean when it cannot write there, in most cases without an
// error. So the directory is checked before, during and after each scan; if it cannot be
// used, the scan has no result.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace mxfeed::virus {

// The supervisor's part: picks and makes the directory (mode 0700), empties it.
//   one named after the user and `data` below `asked`, if that is given; else <data>/tmp
//   if that is in memory; else one named so below /dev/shm or /run; else <data>/tmp on
//   disk.
// Only one supervisor may run for the same `data`.  Throws Fault.
std::filesystem::path prepare_scratch(const std::filesystem::path& asked,
                                      const std::filesystem::path& data);
// Removes it again with all in it, but for what belongs to living processes; never fails.
void discard_scratch(const std::filesystem::path& base) noexcept;
bool is_in_memory(const std::filesystem::path& directory);

// The directory of the process `pid` below the one of the supervisor.
std::filesystem::path scratch_of(const std::filesystem::path& base, int pid);
// Removes it with what a killed scan left there; never fails.
void remove_scratch(const std::filesystem::path& base, int pid) noexcept;

// Makes the directory if it is not there; scratch_trouble() tells whether it works.
void make_scratch(const std::filesystem::path& directory) noexcept;

// Why a message of that size cannot be scanned in the directory; nothing if it can.
// Needs room for the message unpacked three times and 16 MiB, 1000 files, and that a
// directory can be made.
std::optional<std::string> scratch_trouble(const std::filesystem::path& directory,
                                           std::uint64_t message_size);
// Whether there is room, the cheap part of it.
bool has_room(const char* directory, std::uint64_t message_size) noexcept;

}  // namespace mxfeed::virus
