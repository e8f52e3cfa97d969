// SPDX-License-Identifier: GPL-2.0-or-later
//
// Preloaded into a program: kills it before its Nth call that changes what a crash leaves
// behind, N from MXFEED_KILL_AT.

#include <dlfcn.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace {

void step() {
  static std::atomic<int> left = [] {
    const char* const at = std::getenv("MXFEED_KILL_AT");
    return at == nullptr ? 0 : std::atoi(at);
  }();
  if (left > 0 && --left == 0) ::kill(::getpid(), SIGKILL);
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int fsync(int fd) {
  step();
  return real<int(int)>("fsync")(fd);
}
int rename(const char* from, const char* to) noexcept {
  step();
  return real<int(const char*, const char*)>("rename")(from, to);
}
int symlink(const char* to, const char* link) noexcept {
  step();
  return real<int(const char*, const char*)>("symlink")(to, link);
}
int mkdir(const char* path, mode_t mode) noexcept {
  step();
  return real<int(const char*, mode_t)>("mkdir")(path, mode);
}
int utimensat(int directory, const char* path, const timespec times[2],
              int flags) noexcept {
  step();
  return real<int(int, const char*, const timespec*, int)>("utimensat")(directory, path,
                                                                        times, flags);
}
}
