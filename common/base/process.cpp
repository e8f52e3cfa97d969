// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/text.h"

namespace mxfeed {
namespace {

constexpr int kSilenceMs = 60'000;
constexpr std::size_t kMaxErrors = 4096;
constexpr std::size_t kMaxLine = std::size_t{64} << 20;  // a mail of a million recipients

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* const path = std::getenv("PATH");
  const std::string all = std::string(path != nullptr ? path : "") + ":/usr/sbin:/sbin";
  for (const auto directory : split(all, ':')) {
    std::string candidate = std::string(directory) + "/" + name;
    if (!directory.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

struct Pipe {
  Fd read, write;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Fault("run", "pipe", errno_text(errno));
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
};

Fd input_file(std::string_view input) {
  Fd fd(::memfd_create("input", MFD_CLOEXEC));
  if (!fd || !write_all(fd.get(), input) || ::lseek(fd.get(), 0, SEEK_SET) != 0) {
    throw Fault("run", "memfd", errno_text(errno));
  }
  return fd;
}

// Hands over complete lines; keeps the rest until its line end comes.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& line) : line_(line) {}
  void add(std::string_view bytes) {
    for (;;) {
      const auto end = bytes.find('\n');
      if (end == std::string_view::npos) break;
      rest_ += bytes.substr(0, end);
      line_(rest_);
      rest_.clear();
      bytes.remove_prefix(end + 1);
    }
    rest_ += bytes;
    if (rest_.size() > kMaxLine)
      throw Fault("run", "output", "a line of more than 64 MiB");
  }
  void finish() {
    if (!rest_.empty()) line_(rest_);
  }

 private:
  const std::function<void(std::string_view)>& line_;
  std::string rest_;
};

struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

// Kills and reaps the child when it goes out of scope.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  void stop() { ::kill(pid_, SIGKILL); }
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

}  // namespace

pid_t spawn(const std::string& program, const std::vector<std::string>& argv,
            std::span<const PassedFd> passed) {
  // Copies get numbers above all those that the child will use, so that placing one
  // descriptor cannot close another that is still to be placed.
  int above = 0;
  for (const PassedFd& one : passed) above = std::max(above, one.theirs + 1);
  SpawnSettings settings;
  std::vector<Fd> copies;
  for (const PassedFd& one : passed) {
    copies.emplace_back(::fcntl(one.ours, F_DUPFD_CLOEXEC, above));
    if (!copies.back()) throw Fault("start", program, errno_text(errno));
    ::posix_spawn_file_actions_adddup2(&settings.actions, copies.back().get(),
                                       one.theirs);
  }
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const auto& one : argv) arguments.push_back(const_cast<char*>(one.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int outcome = ::posix_spawn(&pid, program.c_str(), &settings.actions,
                                    &settings.attributes, arguments.data(), environ);
  if (outcome != 0) throw Fault("start", program, errno_text(outcome));
  return pid;
}

CommandResult run_command(const std::vector<std::string>& argv, std::string_view input,
                          const std::function<void(std::string_view)>& line,
                          std::span<const PassedFd> more) {
  const std::string program = find_program(argv.at(0));
  if (program.empty()) return {127, argv[0] + ": no such program"};
  const Fd given = input_file(input);
  Pipe output, errors;
  pid_t pid = 0;
  try {
    std::vector<PassedFd> passed = {{given.get(), STDIN_FILENO},
                                    {output.write.get(), STDOUT_FILENO},
                                    {errors.write.get(), STDERR_FILENO}};
    passed.insert(passed.end(), more.begin(), more.end());
    pid = spawn(program, argv, passed);
  } catch (const Fault& fault) {
    return {127, fault.what()};
  }
  Child child(pid);
  output.write.reset();
  errors.write.reset();

  CommandResult result;
  Lines lines(line);
  char buffer[65536];
  pollfd watched[2] = {{output.read.get(), POLLIN, 0}, {errors.read.get(), POLLIN, 0}};
  while (watched[0].fd >= 0 || watched[1].fd >= 0) {
    const int ready = ::poll(watched, 2, kSilenceMs);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      child.stop();
      child.wait();
      return {124, argv[0] + ": wrote nothing for 60 s and was killed"};
    }
    for (auto& one : watched) {
      if (one.fd < 0 || one.revents == 0) continue;
      const ssize_t got = ::read(one.fd, buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        one.fd = -1;
        continue;
      }
      const std::string_view bytes(buffer, static_cast<std::size_t>(got));
      if (&one == &watched[0]) {
        lines.add(bytes);
      } else {
        result.errors += bytes.substr(0, kMaxErrors - result.errors.size());
      }
    }
  }
  lines.finish();
  result.status = child.wait();
  return result;
}

}  // namespace mxfeed
