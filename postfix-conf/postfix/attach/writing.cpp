// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/attach/writing.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>
#include <string>
#include <thread>

#include "common/base/fault.h"
#include "postfix-conf/postfix/attach/sessions.h"
#include "postfix-conf/postfix/attach/survey.h"
#include "postfix-conf/postfix/master_cf_text.h"

namespace mxfeed {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kPatience{30};
constexpr milliseconds kPoll{20};

void write_files(const Postfix& postfix, const PostfixFiles& files) {
  const auto write = [&](const char* name, const std::string& text) {
    const auto path = postfix.config() / name;
    if (read_file(path) != text) rewrite_file(path, text);
  };
  write("main.cf", files.main_cf);
  write("master.cf", files.master_cf);
}

// The name is a new one each time: master(8) binds no socket again that it has.
std::string reload_service() {
  return fmt::format("mxfeed-reload-{:x}-{}",
                     std::chrono::system_clock::now().time_since_epoch().count(),
                     ::getpid());
}

// Between bind(2) and chmod(2) the name must stay: without it master(8) would end.
bool is_ready(const fs::path& socket) {
  std::error_code error;
  const auto status = fs::status(socket, error);
  return fs::is_socket(status) &&
         (status.permissions() & fs::perms::others_write) != fs::perms::none;
}

void await_socket(const Postfix& postfix, const fs::path& path) {
  const auto deadline = steady_clock::now() + kPatience;
  while (!is_ready(path)) {
    if (steady_clock::now() >= deadline) {
      throw Fault("reload Postfix", postfix.config().string(),
                  "timed out: it did not read master.cf; see its log");
    }
    std::this_thread::sleep_for(kPoll);
  }
  std::error_code ignored;
  fs::remove(path, ignored);
}

// The services that these files give our filters.
std::set<std::string> filtered_services(const std::string& master_cf) {
  std::set<std::string> names;
  for (const auto& service : MasterCf(master_cf, is_ours).services()) {
    const auto milters = service.options.find("smtpd_milters");
    if (milters != service.options.end() && is_ours(milters->second)) {
      names.insert(service.name);
    }
  }
  return names;
}

// Those processes of the services that have no filters.
std::size_t without_filters(const fs::path& queue,
                            const std::set<std::string>& services) {
  const auto processes = smtpd_processes(queue);
  return static_cast<std::size_t>(
      std::count_if(processes.begin(), processes.end(), [&](const SmtpdProcess& one) {
        return !one.has_filters &&
               (one.service.empty() || services.contains(one.service));
      }));
}

// A process keeps the options that it was started with until its session ends, but
// asks trivial-rewrite(8) which domains are relayed: it would take their mail as soon as
// that one knows.
std::size_t await_filters(const fs::path& queue, const std::set<std::string>& services) {
  if (services.empty()) return 0;
  const auto deadline = steady_clock::now() + kPatience;
  for (;;) {
    const auto count = without_filters(queue, services);
    if (count == 0 || steady_clock::now() >= deadline) return count;
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace

std::optional<Fd> lock_files(const Postfix& postfix) {
  const auto& path = postfix.config();
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw Fault("lock", path.string(), errno_text(errno));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) throw Fault("lock", path.string(), errno_text(errno));
  return std::nullopt;
}

std::size_t write_plan(const Postfix& postfix, const Plan& plan, const fs::path& queue,
                       bool is_running) {
  if (!is_running) {
    write_files(postfix, plan.first);
    write_files(postfix, plan.last);
    return 0;
  }
  const std::string name = reload_service();
  MasterCf master(plan.first.master_cf, is_ours);
  master.add_service(name + " unix - - y - - discard");
  write_files(postfix, {plan.first.main_cf, master.text()});
  postfix.reload();
  await_socket(postfix, queue / "private" / name);
  const auto open = await_filters(queue, filtered_services(plan.first.master_cf));
  // Where mail is accepted already, to stop halfway would help nobody.
  const bool accepts = attach_state(plan.first) == AttachState::accepting;
  write_files(postfix, open > 0 && !accepts ? plan.first : plan.last);
  postfix.reload();
  return open;
}

}  // namespace mxfeed
