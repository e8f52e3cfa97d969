// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a worker may do.  It runs parsers of hostile files, so it keeps only what a scan
// needs: files it can open already, memory, and the descriptors that it has.

#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "common/policy/domain_policy.h"

namespace mxfeed::virus {

// The sanitizers reserve terabytes of address space, keep freed memory and count in
// shadows of it: under them memory has no limit.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

struct SandboxLimits {
  std::uint64_t data = 0;  // memory of its own, beyond what it shares with the zygote
  std::uint64_t file = 0;  // of one temporary file
  std::chrono::seconds cpu{0};  // of the whole life of the process
};

// Enough for a message of the largest permitted size.
SandboxLimits limits_for(const GatewayPolicy::Virus& settings);

// After this much processor time a worker ends, to be replaced by a fresh one: long
// before the limit of its life.
constexpr std::chrono::seconds kCpuOfWorker{3600};

// Where it is permitted, leaves the process without any network.
void leave_network() noexcept;

// Confines the calling process, which has one thread, for good.
//   No new privileges, and the limits above; no core dump.
//   A call that talks to the network or to another process, starts a program, or changes
//   the system kills the process with SIGSYS, and so does memory that is executable and
//   was ever writable.  Any other call that a scan does not need answers ENOSYS, as on a
//   kernel that does not have it.
// Throws Fault if the system refuses any of this.
void enter_sandbox(const SandboxLimits& limits);

// The calling process is killed (SIGXCPU) if it uses more processor time than that from
// now on.
void bound_cpu(std::chrono::seconds more) noexcept;
// Used so far, rounded up.
std::chrono::seconds cpu_used() noexcept;

// Why a worker was killed by that signal: "a call that is not allowed".
std::string_view reason_of_death(int signal) noexcept;

}  // namespace mxfeed::virus
