// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/sessions.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "common/base/file.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace mxfeed {
namespace {

// A child that has the name and the arguments of an smtpd(8), until this is destroyed.
class Smtpd {
 public:
  Smtpd(const std::string& program, std::vector<std::string> arguments) {
    REQUIRE(::pipe(named_) == 0);
    REQUIRE(::pipe(end_) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) run(program, std::move(arguments));
    char byte;
    REQUIRE(::read(named_[0], &byte, 1) == 1);
  }
  ~Smtpd() {
    for (const int fd : {named_[0], named_[1], end_[0], end_[1]}) ::close(fd);
    ::waitpid(pid_, nullptr, 0);
  }
  Smtpd(const Smtpd&) = delete;
  Smtpd& operator=(const Smtpd&) = delete;

 private:
  [[noreturn]] void run(const std::string& program, std::vector<std::string> arguments) {
    ::close(end_[1]);
    ::dup2(end_[0], STDIN_FILENO);
    ::dup2(named_[1], STDOUT_FILENO);
    if (program.empty()) {  // as before exec
      ::prctl(PR_SET_NAME, "master");
      char byte = 'x';
      if (::write(named_[1], &byte, 1) == 1) {
        while (::read(end_[0], &byte, 1) > 0) continue;
      }
      ::_exit(0);
    }
    arguments.insert(arguments.begin(), {"smtpd", "-c", "echo; read x", "sh"});
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ::execv(program.c_str(), argv.data());
    ::_exit(1);
  }

  int named_[2], end_[2];
  pid_t pid_ = 0;
};

TEST_CASE("smtpd processes of this Postfix are known by their options", "[attach]") {
  const TempDirectory queue;
  const auto find = [&] { return smtpd_processes(queue.path()); };
  const std::string program = queue.path() / "smtpd";
  std::filesystem::create_symlink("/bin/sh", program);
  const auto only = [&](const std::string& service, bool has_filters) {
    const auto found = find();
    REQUIRE(found.size() == 1);
    CHECK(found[0].service == service);
    CHECK(found[0].has_filters == has_filters);
  };
  std::filesystem::create_directory(queue.path() / "pid");
  const auto pid_file = queue.path() / "pid/master.pid";
  {
    const Smtpd smtpd(program, {"-n", "smtp", "-t", "inet"});
    CHECK(find().empty());  // no Postfix has run here
    write_file(pid_file, "1\n");
    CHECK(find().empty());  // another's
    write_file(pid_file, "          " + std::to_string(::getpid()) + "\n");
    only("smtp/inet", false);
  }
  CHECK(find().empty());
  {
    const Smtpd smtpd(program, {"-n", "192.0.2.1:25", "-t", "inet", "-u", "-o",
                                "smtpd_milters=$mxfeed_smtpd_milters"});
    only("192.0.2.1:25/inet", true);
  }
  {
    const Smtpd smtpd(program, {"-t", "pass", "-o", "smtpd_milters="});
    only("smtpd/pass", false);
  }
  const Smtpd starting("", {});
  only("", false);
}

}  // namespace
}  // namespace mxfeed
