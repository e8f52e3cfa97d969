// SPDX-License-Identifier: GPL-2.0-or-later
//
// The directory for temporary files of scans: private, in memory if possible, with a
// directory for each process in it.
//
// If libclamav cannot write there, it calls a message clean, mostly without an error.  So
// the directory is checked before, during and after each scan; if it cannot be used, the
// scan has no result.

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace mxfeed::virus {

// For the supervisor: chooses the directory, creates it (mode 0700) and empties it.
//   one named after the user and `data` below `asked`, if that is given; else <data>/tmp
//   if that is in memory; else one named so below /dev/shm or /run; else <data>/tmp on
//   disk.
// Only one supervisor may run for the same `data`.  Throws Fault.
std::filesystem::path prepare_scratch(const std::filesystem::path& asked,
                                      const std::filesystem::path& data);
// Removes the directory with all its content, except for directories of living processes;
// never fails.
void discard_scratch(const std::filesystem::path& base) noexcept;
bool is_in_memory(const std::filesystem::path& directory);

// The directory of the process `pid` below that of the supervisor.
std::filesystem::path scratch_of(const std::filesystem::path& base, int pid);
// Removes it with everything that a killed scan left there; never fails.
void remove_scratch(const std::filesystem::path& base, int pid) noexcept;

// Creates the directory if it is missing; scratch_trouble() tells whether it can be used.
void make_scratch(const std::filesystem::path& directory) noexcept;

// Why a message of that size cannot be scanned in the directory; nothing if it can.
// Required are free space for three times the message plus 16 MiB, 1000 free inodes, and
// that a directory can be created.
std::optional<std::string> scratch_trouble(const std::filesystem::path& directory,
                                           std::uint64_t message_size);
// Whether there is enough free space: the cheap part of that check.
bool has_room(const char* directory, std::uint64_t message_size) noexcept;

}  // namespace mxfeed::virus
