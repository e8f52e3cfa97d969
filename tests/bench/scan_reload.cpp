// SPDX-License-Identifier: GPL-2.0-or-later
//
// What do reloads cost?  Runs mxfeed-scan with four workers, sends it mails from eight
// threads and replaces its database every two seconds.  Usage:
//
//   bench_scan_reload MXFEED-SCAN CORPUS [MAILS [SIGNATURES]]
//
// By default 10 000 mails and 100 000 signatures.  Mails are those of the
// corpus (tests/support/fetch-corpus), each made unique.  Printed: answers, latency with
// reloads and without, and the memory of each process: all (RSS), its share (PSS), its
// own (private).

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/policy/constdb.h"
#include "common/policy/domain_policy.h"
#include "common/program/status.h"
#include "milters/virus/protocol/client.h"

namespace {

using namespace mxfeed;
using namespace mxfeed::virus;
namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr unsigned kWorkers = 4;
constexpr unsigned kClients = 8;

void write_database(const fs::path& directory, unsigned signatures, unsigned version) {
  std::string text = "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n";
  for (unsigned i = 0; i < signatures; ++i) {
    text += fmt::format("{:08x}{:08x}{:08x}{:08x}:{}:Nothing-{}-{}\n", i * 2654435761u,
                        i ^ 0x5bd1e995u, i * 40503u, version, 1'000'000 + i, version, i);
  }
  write_file(directory / "test.hdb", text);
}

void write_policy(const fs::path& state, const fs::path& database) {
  GatewayPolicy gateway;
  gateway.generation = 1;
  gateway.virus.database = database.string();
  gateway.virus.workers = kWorkers;
  fs::create_directories(state / "generations" / "1");
  ConstDbWriter writer(state / "generations" / "1" / "policy.cdb");
  writer.add("=", encode(gateway));
  writer.add(".", encode(DomainPolicy{}));
  writer.commit();
  replace_link(state / "current", "generations/1");
}

std::vector<std::string> load_mails(const fs::path& corpus, std::size_t wanted) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(corpus)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> mails;
  for (std::size_t i = 0; i < wanted && !files.empty(); ++i) {
    mails.push_back(read_file(files[i * files.size() / wanted]).value_or(""));
  }
  return mails;
}

std::vector<pid_t> children(pid_t pid) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    std::ifstream stat(entry.path() / "stat");
    std::string text;
    if (!std::getline(stat, text)) continue;
    int parent = 0;
    char state = 0;
    const auto after = text.rfind(')');
    if (after == std::string::npos ||
        std::sscanf(text.c_str() + after + 1, " %c %d", &state, &parent) != 2) {
      continue;
    }
    if (parent == pid) found.push_back(std::atoi(entry.path().filename().c_str()));
  }
  return found;
}

void print_memory(const char* who, pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid));
  unsigned long rss = 0, pss = 0, own = 0, number = 0;
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    number = std::strtoul(line.c_str() + colon + 1, nullptr, 10);
    if (line.starts_with("Rss:")) rss = number;
    if (line.starts_with("Pss:")) pss = number;
    if (line.starts_with("Private_")) own += number;
  }
  fmt::print("  {:10} RSS {:7.1f} MiB  PSS {:7.1f} MiB  private {:6.1f} MiB\n", who,
             static_cast<double>(rss) / 1024, static_cast<double>(pss) / 1024,
             static_cast<double>(own) / 1024);
}

void print_tree(pid_t supervisor) {
  print_memory("supervisor", supervisor);
  for (const pid_t zygote : children(supervisor)) {
    print_memory("zygote", zygote);
    for (const pid_t worker : children(zygote)) print_memory("worker", worker);
  }
}

struct Answers {
  std::vector<double> milliseconds;
  unsigned clean = 0, infected = 0, others = 0, lost = 0;
};

Answers send_all(const fs::path& socket, const std::vector<std::string>& mails,
                 unsigned count, unsigned& round) {
  Answers all;
  std::mutex mutex;
  std::atomic<unsigned> next{0};
  ++round;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kClients; ++i) {
    threads.emplace_back([&] {
      const ScanClient client(socket);
      Answers own;
      for (unsigned n; (n = next++) < count;) {
        MessageFile message(system_time());
        message.add_header("X-Unique", fmt::format(" {}-{}", round, n));
        message.add(mails[n % mails.size()]);
        const auto begin = steady_clock::now();
        try {
          const ScanResult result = client.scan(
              message, false, std::chrono::seconds(40), [] {}, [] { return true; });
          own.clean += result.verdict == ScanVerdict::clean;
          own.infected += result.verdict == ScanVerdict::infected;
          own.others += result.verdict != ScanVerdict::clean &&
                        result.verdict != ScanVerdict::infected;
        } catch (const std::exception& error) {
          ++own.lost;
          fmt::print("  lost: {}\n", error.what());
        }
        own.milliseconds.push_back(
            std::chrono::duration<double, std::milli>(steady_clock::now() - begin)
                .count());
      }
      const std::lock_guard lock(mutex);
      all.clean += own.clean;
      all.infected += own.infected;
      all.others += own.others;
      all.lost += own.lost;
      all.milliseconds.insert(all.milliseconds.end(), own.milliseconds.begin(),
                              own.milliseconds.end());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::sort(all.milliseconds.begin(), all.milliseconds.end());
  return all;
}

void print(const char* name, const Answers& answers, double seconds, unsigned reloads) {
  const auto at = [&](double part) {
    const auto last = static_cast<double>(answers.milliseconds.size() - 1);
    return answers.milliseconds[static_cast<std::size_t>(part * last)];
  };
  fmt::print(
      "{}: {} clean, {} infected, {} others, {} lost; {:.0f} mails/s; p50 {:.2f} ms, "
      "p99 {:.2f} ms, most {:.1f} ms; {} reloads\n",
      name, answers.clean, answers.infected, answers.others, answers.lost,
      static_cast<double>(answers.milliseconds.size()) / seconds, at(0.5), at(0.99),
      at(1.0), reloads);
}

std::string status_value(const fs::path& socket, const std::string& key) {
  const std::string answer = ask_status(socket, "status");
  const auto at = answer.find("\n" + key + ": ");
  if (at == std::string::npos) return "";
  const auto begin = at + key.size() + 3;
  return answer.substr(begin, answer.find('\n', begin) - begin);
}

void await_state(const fs::path& socket, const std::string& key,
                 const std::string& wanted) {
  for (int i = 0; i < 1200; ++i) {
    try {
      if (status_value(socket, key) == wanted) return;
    } catch (const Fault&) {
      // Not there yet.
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  throw Fault("wait for mxfeed-scan", key, "not " + wanted);
}

void measure(const char* program, const fs::path& corpus, unsigned count,
             unsigned signatures, const fs::path& directory) {
  const fs::path state = directory / "state";
  const fs::path database = directory / "db";
  fs::create_directories(database);
  write_database(database, signatures, 0);
  write_policy(state, database);
  std::string state_text = state.string();
  std::string name = program;
  std::string option = "--state";
  char* const argv[] = {name.data(), option.data(), state_text.data(), nullptr};
  pid_t pid = 0;
  if (::posix_spawn(&pid, program, nullptr, nullptr, argv, environ) != 0) {
    throw Fault("start", program, errno_text(errno));
  }
  const fs::path status = state / "scan" / "status.sock";
  const fs::path socket = state / "scan" / "scan.sock";
  await_state(status, "state", "running");
  const std::vector<std::string> mails = load_mails(corpus, 600);
  fmt::print("after the start\n");
  print_tree(pid);

  unsigned round = 0;
  const auto timed = [&](const char* what, bool reloading) {
    std::atomic<bool> stop{false};
    std::thread changer([&] {
      for (unsigned version = 1; reloading && !stop; ++version) {
        for (int i = 0; i < 20 && !stop; ++i) {
          std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        if (stop) return;
        write_database(database, signatures, version);
        ask_status(status, "reload");
      }
    });
    const unsigned loads =
        static_cast<unsigned>(std::stoul(status_value(status, "loads")));
    const auto begin = steady_clock::now();
    const Answers answers = send_all(socket, mails, count, round);
    const double seconds =
        std::chrono::duration<double>(steady_clock::now() - begin).count();
    stop = true;
    changer.join();
    print(what, answers, seconds,
          static_cast<unsigned>(std::stoul(status_value(status, "loads"))) - loads);
  };
  timed("without reloads", false);
  print_tree(pid);
  timed("reload every 2 s", true);
  await_state(status, "state", "running");
  print_tree(pid);
  fmt::print("worker deaths {}, failed loads {}\n", status_value(status, "worker_deaths"),
             status_value(status, "failed_loads"));
  ::kill(pid, SIGTERM);
  int ended = 0;
  ::waitpid(pid, &ended, 0);
  fmt::print("exit status {}\n", WIFEXITED(ended) ? WEXITSTATUS(ended) : -1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr,
               "usage: bench_scan_reload MXFEED-SCAN CORPUS [MAILS [SIGNATURES]]\n");
    return 2;
  }
  try {
    std::string directory = "/tmp/scan_reload.XXXXXX";
    if (::mkdtemp(directory.data()) == nullptr) return 1;
    measure(
        argv[1], argv[2],
        argc > 3 ? static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10)) : 10'000,
        argc > 4 ? static_cast<unsigned>(std::strtoul(argv[4], nullptr, 10)) : 100'000,
        directory);
    fs::remove_all(directory);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
