// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include "common/mail/charset.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed::virus {
namespace {

const SandboxLimits kLimits{64 << 20, 1 << 20, std::chrono::seconds(60)};

// What becomes of a confined process that does it: "done", "refused" (it returned false),
// or the name of the signal that killed it.
std::string confined(const std::function<bool()>& act,
                     const SandboxLimits& limits = kLimits) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    int status = 2;
    try {
      enter_sandbox(limits);
      status = act() ? 0 : 1;
    } catch (const std::exception&) {
    }
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WIFSIGNALED(status)) return ::sigabbrev_np(WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? "done" : WEXITSTATUS(status) == 1 ? "refused" : "?";
}

bool writes_file(const std::string& path, std::size_t size) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
  const std::string piece(64 << 10, 'x');
  for (std::size_t done = 0; done < size; done += piece.size()) {
    if (::write(fd, piece.data(), piece.size()) != static_cast<ssize_t>(piece.size())) {
      return false;
    }
  }
  return fd >= 0 && ::unlink(path.c_str()) == 0;
}

void* map(int protection) {
  return ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

TEST_CASE("a worker can do what a scan needs", "[virus]") {
  const TempDirectory directory;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
  const struct {
    const char* name;
    std::function<bool()> act;
  } rows[] = {
      {"a temporary file",
       [&] { return writes_file((directory.path() / "f").string(), 100'000); }},
      {"a temporary directory",
       [&] {
         const std::string path = (directory.path() / "d").string();
         return ::mkdir(path.c_str(), 0700) == 0 && ::rmdir(path.c_str()) == 0;
       }},
      {"some memory",
       [] {
         void* const at = std::malloc(32 << 20);
         if (at == nullptr) return false;
         std::memset(at, 1, 32 << 20);
         std::free(at);
         return true;
       }},
      {"a module of iconv",
       [] {
         // No charset that the C library has built in.
         return mxfeed::to_utf8("\xc1", "KOI8-R") == "\xd0\xb0";
       }},
      {"an answer on a connection",
       [&] { return ::send(ends[0], "x", 1, MSG_NOSIGNAL) == 1; }},
      {"waiting for requests",
       [] {
         epoll_event event{};
         const int ready = ::epoll_create1(EPOLL_CLOEXEC);
         return ready >= 0 && ::epoll_wait(ready, &event, 1, 1) == 0;
       }},
      {"an alarm", [] { return ::alarm(5) == 0 && ::alarm(0) > 0; }},
      {"a bound of processor time",
       [] {
         bound_cpu(std::chrono::seconds(5));
         rlimit both{};
         ::getrlimit(RLIMIT_CPU, &both);
         return both.rlim_cur <= 7 && both.rlim_max == 60;
       }},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(confined(row.act) == "done");
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a thread can be started, for the decoders of images", "[virus]") {
  if (kIsSanitized) return;  // their threads need more than a scan
  CHECK(confined([] {
          bool ran = false;
          std::thread([&ran] { ran = true; }).join();
          return ran;
        }) == "done");
}

TEST_CASE("a worker that reaches out of the process is killed", "[virus]") {
  const pid_t parent = ::getpid();
  const struct {
    const char* name;
    std::function<bool()> act;
  } rows[] = {
      {"socket", [] { return ::socket(AF_INET, SOCK_STREAM, 0) >= 0; }},
      {"unix socket", [] { return ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0; }},
      {"connect", [] { return ::syscall(SYS_connect, 0, nullptr, 0) == 0; }},
      {"execve",
       [] {
         char name[] = "/bin/true";
         char* const argv[] = {name, nullptr};
         return ::execve(name, argv, nullptr) == 0;
       }},
      {"fork", [] { return ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0; }},
      {"ptrace", [&] { return ::ptrace(PTRACE_ATTACH, parent, nullptr, nullptr) == 0; }},
      {"kill of another", [&] { return ::kill(parent, 0) == 0; }},
      {"tgkill of another",
       [&] { return ::syscall(SYS_tgkill, parent, parent, 0) == 0; }},
      {"mount", [] { return ::mount("none", "/mnt", "tmpfs", 0, nullptr) == 0; }},
      {"unshare", [] { return ::unshare(CLONE_NEWUSER) == 0; }},
      {"setuid", [] { return ::syscall(SYS_setuid, 0) == 0; }},
      {"bpf", [] { return ::syscall(SYS_bpf, 0, nullptr, 0) == 0; }},
      {"io_uring", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr) >= 0; }},
      {"code that can be written",
       [] { return map(PROT_READ | PROT_WRITE | PROT_EXEC) != MAP_FAILED; }},
      {"code that was written",
       [] {
         void* const at = map(PROT_READ | PROT_WRITE);
         return ::mprotect(at, 4096, PROT_READ | PROT_EXEC) == 0;
       }},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(confined(row.act) == "SYS");
  }
}

TEST_CASE("a call that no scan needs is refused as if the kernel had it not", "[virus]") {
  CHECK(confined([] {
          return ::syscall(SYS_clone3, nullptr, 0) == -1 && errno == ENOSYS &&
                 ::prctl(PR_SET_DUMPABLE, 1) == -1 && errno == ENOSYS &&
                 ::fcntl(0, F_SETOWN, 1) == -1 && errno == ENOSYS &&
                 ::syscall(100'000) == -1 && errno == ENOSYS;
        }) == "done");
}

TEST_CASE("a worker can abort", "[virus]") {
  CHECK(confined([]() -> bool {
          ::signal(SIGABRT, SIG_DFL);
          std::abort();
        }) == "ABRT");
}

TEST_CASE("a worker has limits", "[virus]") {
  const TempDirectory directory;
  const std::string file = (directory.path() / "f").string();
  SECTION("of a file") {
    // Where the log is a file, the limit is above its size.
    const int log = ::dup(STDERR_FILENO), none = ::open("/dev/null", O_WRONLY);
    ::dup2(none, STDERR_FILENO);
    const std::string outcome = confined([&] { return writes_file(file, 2 << 20); });
    ::dup2(log, STDERR_FILENO);
    CHECK(outcome == "XFSZ");
  }
  SECTION("of processor time") {
    CHECK(confined([]() -> bool {
            bound_cpu(std::chrono::seconds(0));
            for (;;) {
            }
          }) == "XCPU");
  }
  SECTION("of memory, beyond what it began with") {
    if (kIsSanitized) return;
    const auto takes = [](std::size_t size) {
      return [size] {
        void* const at = std::malloc(size);
        const bool got = at != nullptr;
        std::free(at);
        return got;
      };
    };
    void* const shared = std::malloc(256 << 20);
    std::memset(shared, 1, 256 << 20);
    CHECK(confined(takes(48 << 20)) == "done");
    CHECK(confined(takes(128 << 20)) == "refused");
    std::free(shared);
  }
}

TEST_CASE("limits leave room for the largest message", "[virus]") {
  GatewayPolicy::Virus settings;
  settings.max_file_size = 500 << 20;
  const SandboxLimits limits = limits_for(settings);
  CHECK(limits.data >= 18 * settings.max_file_size);
  CHECK(limits.file > settings.max_scan_size);
  CHECK(limits.file > settings.max_file_size);
  CHECK(limits.cpu > kCpuOfWorker + settings.max_scan_time);
}

TEST_CASE("the reason of a death is said", "[virus]") {
  const struct {
    int signal;
    const char* reason;
  } rows[] = {{SIGSYS, "a call that is not allowed"},
              {SIGALRM, "a scan that took too long"},
              {SIGXCPU, "too much processor time"},
              {SIGXFSZ, "a temporary file that is too large"},
              {SIGKILL, "killed, perhaps for lack of memory"},
              {SIGSEGV, "a crash"},
              {0, "it gave up"}};
  for (const auto& row : rows) CHECK(reason_of_death(row.signal) == row.reason);
}

}  // namespace
}  // namespace mxfeed::virus
