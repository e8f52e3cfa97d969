// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "milters/virus/protocol/wire.h"

namespace mxfeed::virus {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
// More than systemd allows the whole service (TasksMax=); a process cannot be made at
// all.
constexpr rlim_t kThreads = 1024;

[[noreturn]] void refuse(const char* what, int error) {
  throw Fault("confine worker", what, errno_text(error));
}

void limit(int resource, const char* name, rlim_t soft, rlim_t hard) {
  const rlimit both{soft, hard};
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &both) != 0) {
    refuse(name, errno);
  }
}

// What counts against RLIMIT_DATA: private memory that is writable.  The signatures are
// part of it, though their pages are shared with the zygote.
std::optional<std::uint64_t> data_in_use() {
  // proc(5): size, resident, shared, text, lib, data, dirty, in pages.
  constexpr std::size_t kData = 5;
  const Fd statm(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  char text[256];
  const ssize_t got = statm ? ::read(statm.get(), text, sizeof text) : -1;
  if (got <= 0) return std::nullopt;
  const auto words = split({text, static_cast<std::size_t>(got)}, ' ');
  const auto pages = words.size() > kData ? parse_unsigned(words[kData]) : std::nullopt;
  if (!pages) return std::nullopt;
  return *pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void limit_memory(std::uint64_t more) {
  if (kIsSanitized) return;
  // Without /proc it is not known; the limits of the service still apply.
  const auto used = data_in_use();
  if (used) limit(RLIMIT_DATA, "RLIMIT_DATA", *used + more, *used + more);
}

// Where the log is a file, it may be larger than any file of a scan.
void limit_files(std::uint64_t most) {
  struct stat log {};
  if (::fstat(STDERR_FILENO, &log) == 0 && S_ISREG(log.st_mode)) {
    most = std::max(most, static_cast<std::uint64_t>(log.st_size) + 1024 * kMiB);
  }
  limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", most, most);
}

// Calls of libclamav and its libraries (zlib, libxml2, PCRE2, iconv, which loads modules,
// and the thread pool of the image decoder), of the C library's memory and standard
// streams, and of the worker.
constexpr int kAllowed[] = {
    // Descriptors and files.
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
    SCMP_SYS(pwrite64), SCMP_SYS(preadv), SCMP_SYS(pwritev), SCMP_SYS(lseek),
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(creat), SCMP_SYS(close),
    SCMP_SYS(close_range), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(pipe),
    SCMP_SYS(pipe2), SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(lstat),
    SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs),
    SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(getdents), SCMP_SYS(getdents64), SCMP_SYS(getcwd),
    SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(unlink),
    SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
    SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(umask),
    SCMP_SYS(truncate), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fadvise64),
    SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(flock), SCMP_SYS(sendfile),
    SCMP_SYS(copy_file_range), SCMP_SYS(utimensat),
    // Memory; mmap and mprotect have rules below.
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(mincore), SCMP_SYS(msync), SCMP_SYS(mlock), SCMP_SYS(munlock),
    // Requests.
    SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
    SCMP_SYS(shutdown), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select),
    SCMP_SYS(pselect6), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
    // Time and signals.
    SCMP_SYS(alarm), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
    SCMP_SYS(time), SCMP_SYS(times), SCMP_SYS(getrusage), SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    // The process and its threads.
    SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(getuid),
    SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getrandom),
    SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getcpu), SCMP_SYS(getrlimit),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(futex),
    SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(set_tid_address),
    SCMP_SYS(rseq), SCMP_SYS(membarrier), SCMP_SYS(arch_prctl), SCMP_SYS(exit),
    SCMP_SYS(exit_group)};

// No scan makes these: who does has taken over the process.
constexpr int kDeadly[] = {SCMP_SYS(socket),
                           SCMP_SYS(socketpair),
                           SCMP_SYS(connect),
                           SCMP_SYS(bind),
                           SCMP_SYS(listen),
                           SCMP_SYS(execve),
                           SCMP_SYS(execveat),
                           SCMP_SYS(fork),
                           SCMP_SYS(vfork),
                           SCMP_SYS(ptrace),
                           SCMP_SYS(process_vm_readv),
                           SCMP_SYS(process_vm_writev),
                           SCMP_SYS(process_madvise),
                           SCMP_SYS(kill),
                           SCMP_SYS(tkill),
                           SCMP_SYS(rt_sigqueueinfo),
                           SCMP_SYS(rt_tgsigqueueinfo),
                           SCMP_SYS(pidfd_open),
                           SCMP_SYS(pidfd_getfd),
                           SCMP_SYS(pidfd_send_signal),
                           SCMP_SYS(mount),
                           SCMP_SYS(umount2),
                           SCMP_SYS(open_tree),
                           SCMP_SYS(move_mount),
                           SCMP_SYS(fsopen),
                           SCMP_SYS(pivot_root),
                           SCMP_SYS(chroot),
                           SCMP_SYS(unshare),
                           SCMP_SYS(setns),
                           SCMP_SYS(setuid),
                           SCMP_SYS(setgid),
                           SCMP_SYS(setreuid),
                           SCMP_SYS(setregid),
                           SCMP_SYS(setresuid),
                           SCMP_SYS(setresgid),
                           SCMP_SYS(setgroups),
                           SCMP_SYS(capset),
                           SCMP_SYS(bpf),
                           SCMP_SYS(perf_event_open),
                           SCMP_SYS(userfaultfd),
                           SCMP_SYS(io_uring_setup),
                           SCMP_SYS(add_key),
                           SCMP_SYS(request_key),
                           SCMP_SYS(keyctl),
                           SCMP_SYS(init_module),
                           SCMP_SYS(finit_module),
                           SCMP_SYS(delete_module),
                           SCMP_SYS(kexec_load),
                           SCMP_SYS(kexec_file_load),
                           SCMP_SYS(reboot),
                           SCMP_SYS(swapon),
                           SCMP_SYS(swapoff),
                           SCMP_SYS(settimeofday),
                           SCMP_SYS(clock_settime),
                           SCMP_SYS(mknod),
                           SCMP_SYS(mknodat),
                           SCMP_SYS(pkey_mprotect),
                           SCMP_SYS(shmat)};

// No other command of fcntl() can have a signal sent to a process.
constexpr int kFcntl[] = {F_DUPFD,  F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,
                          F_GETFL,  F_SETFL,         F_GETLK,     F_SETLK,
                          F_SETLKW, F_OFD_GETLK,     F_OFD_SETLK, F_GET_SEALS};

class Filter {
 public:
  Filter() : context_(::seccomp_init(SCMP_ACT_ERRNO(ENOSYS))) {
    if (!context_) refuse("seccomp", ENOMEM);
    set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  }

  void allow(int call) { add(SCMP_ACT_ALLOW, call, {}); }
  void allow_if(int call, std::vector<scmp_arg_cmp> conditions) {
    add(SCMP_ACT_ALLOW, call, std::move(conditions));
  }
  void kill(int call) { add(SCMP_ACT_KILL_PROCESS, call, {}); }
  void kill_if(int call, std::vector<scmp_arg_cmp> conditions) {
    add(SCMP_ACT_KILL_PROCESS, call, std::move(conditions));
  }

  void load() {
    // A tree, not a list: libseccomp before 2.5 does not have it.
    ::seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
    const int error = ::seccomp_load(context_.get());
    if (error != 0) refuse("seccomp", -error);
  }

 private:
  struct Release {
    void operator()(void* context) const { ::seccomp_release(context); }
  };

  void set(scmp_filter_attr attribute, std::uint32_t value) {
    const int error = ::seccomp_attr_set(context_.get(), attribute, value);
    if (error != 0) refuse("seccomp", -error);
  }
  void add(std::uint32_t action, int call, const std::vector<scmp_arg_cmp>& conditions) {
    const int error = ::seccomp_rule_add_array(context_.get(), action, call,
                                               static_cast<unsigned>(conditions.size()),
                                               conditions.data());
    // A call that this architecture does not have cannot be made either.
    if (error != 0 && call >= 0) refuse("seccomp", -error);
  }

  std::unique_ptr<void, Release> context_;
};

scmp_arg_cmp equals(unsigned argument, std::uint64_t value) {
  return scmp_arg_cmp{argument, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp has_bits(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return scmp_arg_cmp{argument, SCMP_CMP_MASKED_EQ, mask, value};
}

// As MemoryDenyWriteExecute= of systemd: iconv can load its modules, and nothing that was
// written becomes a program.  libclamav interprets bytecode.
void restrict_memory(Filter& filter) {
  constexpr std::uint64_t kBoth = PROT_WRITE | PROT_EXEC;
  filter.allow_if(SCMP_SYS(mmap), {has_bits(2, PROT_EXEC, 0)});
  filter.allow_if(SCMP_SYS(mmap), {has_bits(2, kBoth, PROT_EXEC)});
  filter.kill_if(SCMP_SYS(mmap), {has_bits(2, kBoth, kBoth)});
  filter.allow_if(SCMP_SYS(mprotect), {has_bits(2, PROT_EXEC, 0)});
  filter.kill_if(SCMP_SYS(mprotect), {has_bits(2, PROT_EXEC, PROT_EXEC)});
}

void restrict_arguments(Filter& filter) {
  for (const int command : kFcntl) {
    filter.allow_if(SCMP_SYS(fcntl), {equals(1, static_cast<unsigned>(command))});
  }
  filter.allow_if(SCMP_SYS(ioctl), {equals(1, TCGETS)});
  filter.allow_if(SCMP_SYS(ioctl), {equals(1, FIONREAD)});
  // On connections only.
  filter.allow_if(SCMP_SYS(sendto), {equals(4, 0)});
  filter.allow_if(SCMP_SYS(prlimit64), {equals(0, 0)});
  // Threads, not processes.  clone3() has its flags in memory: the C library goes on with
  // clone() when it is missing.
  filter.allow_if(SCMP_SYS(clone), {has_bits(0, CLONE_THREAD, CLONE_THREAD)});
  filter.kill_if(SCMP_SYS(clone), {has_bits(0, CLONE_THREAD, 0)});
  // abort() sends a signal to its own process.
  const auto self = static_cast<unsigned>(::getpid());
  filter.allow_if(SCMP_SYS(tgkill), {equals(0, self)});
  filter.kill_if(SCMP_SYS(tgkill), {scmp_arg_cmp{0, SCMP_CMP_NE, self, 0}});
}

void filter_calls() {
  Filter filter;
  for (const int call : kAllowed) filter.allow(call);
  for (const int call : kDeadly) filter.kill(call);
  restrict_memory(filter);
  restrict_arguments(filter);
  filter.load();
}

}  // namespace

SandboxLimits limits_for(const GatewayPolicy::Virus& settings) {
  SandboxLimits limits;
  // The largest message and what is decoded of it, and what libclamav takes for one
  // object: 18 times its size was seen, for a script.
  limits.data = 512 * kMiB + 3 * kMaxMessage + 20 * settings.max_file_size;
  limits.file =
      std::max({settings.max_scan_size, settings.max_file_size, kMaxMessage}) + 64 * kMiB;
  limits.cpu = kCpuOfWorker + 2 * settings.max_scan_time + std::chrono::seconds(60);
  return limits;
}

void leave_network() noexcept {
  // Only with CAP_SYS_ADMIN; systemd does the same for a service with PrivateNetwork=.
  [[maybe_unused]] const int refused = ::unshare(CLONE_NEWNET);
}

void enter_sandbox(const SandboxLimits& limits) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) refuse("no_new_privs", errno);
  limit(RLIMIT_CORE, "RLIMIT_CORE", 0, 0);
  limit(RLIMIT_NPROC, "RLIMIT_NPROC", kThreads, kThreads);
  const auto cpu = static_cast<rlim_t>(limits.cpu.count());
  limit(RLIMIT_CPU, "RLIMIT_CPU", cpu, cpu);
  limit_files(limits.file);
  limit_memory(limits.data);
  filter_calls();
}

std::chrono::seconds cpu_used() noexcept {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1);
}

void bound_cpu(std::chrono::seconds more) noexcept {
  rlimit both{};
  if (::getrlimit(RLIMIT_CPU, &both) != 0) return;
  both.rlim_cur =
      std::min(both.rlim_max, static_cast<rlim_t>((cpu_used() + more).count()));
  ::setrlimit(RLIMIT_CPU, &both);
}

std::string_view reason_of_death(int signal) noexcept {
  switch (signal) {
    case 0:
      return "it gave up";
    case SIGSYS:
      return "a call that is not allowed";
    case SIGALRM:
      return "a scan that took too long";
    case SIGXCPU:
      return "too much processor time";
    case SIGXFSZ:
      return "a temporary file that is too large";
    case SIGKILL:
      return "killed, perhaps for lack of memory";
    case SIGABRT:
      return "the engine gave up";
    default:
      return "a crash";
  }
}

}  // namespace mxfeed::virus
