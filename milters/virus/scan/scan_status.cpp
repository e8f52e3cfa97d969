// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/scan_status.h"

#include <algorithm>

#include "common/base/metrics.h"
#include "common/base/text.h"
#include "milters/virus/protocol/wire.h"

namespace mxfeed::virus {

std::string_view to_string(ScanState state) {
  switch (state) {
    case ScanState::loading:
      return "loading";
    case ScanState::running:
      return "running";
    case ScanState::reloading:
      return "reloading";
    case ScanState::no_engine:
      return "no_engine";
  }
  return "no_engine";
}

ScanState state_of(bool has_engine, bool is_loading) {
  if (has_engine) return is_loading ? ScanState::reloading : ScanState::running;
  return is_loading ? ScanState::loading : ScanState::no_engine;
}

void describe(const ScanStatus& status, Time now, StatusSnapshot& snapshot) {
  const auto count = [](std::string_view name, std::string_view labels = "") {
    return counter(name, labels).value();
  };
  snapshot.add("database", status.database).add("signatures", status.signatures);
  if (status.newest != Time{}) {
    const auto age = std::max(std::chrono::seconds(0), now - status.newest);
    snapshot.add("database_age", format_duration(age));
  }
  if (status.last_proof != Time{}) {
    const auto age = std::max(std::chrono::seconds(0), now - status.last_proof);
    snapshot.add("canary_age", format_duration(age));
  }
  snapshot.add("rar", status.reads_rar)
      .add("workers", status.workers)
      .add("socket", status.is_reachable ? "ok" : "missing")
      .add("loads", count("mxfeed_scan_loads_total", R"(outcome="ok")"))
      .add("load_memory_mib", status.load_memory >> 20)
      .add("failed_loads", count("mxfeed_scan_loads_total", R"(outcome="failed")"))
      .add("worker_deaths", count("mxfeed_scan_worker_deaths_total"))
      .add("forbidden_calls", count("mxfeed_scan_forbidden_calls_total"))
      .add("engines_lost", count("mxfeed_scan_engines_lost_total"))
      .add("zygote_deaths", count("mxfeed_scan_zygote_deaths_total"))
      .add("sockets_restored", count("mxfeed_sockets_restored_total", R"(socket="scan")"))
      .add("tmpdir", status.scratch.string());
  if (!status.load_fault.empty()) snapshot.add("last_fault", status.load_fault);
}

void update_metrics(const ScanStatus& status, const Board& board) {
  constexpr ScanVerdict kVerdicts[] = {ScanVerdict::clean, ScanVerdict::infected,
                                       ScanVerdict::unscannable, ScanVerdict::encrypted,
                                       ScanVerdict::error};
  for (const ScanVerdict verdict : kVerdicts) {
    counter("mxfeed_scan_results_total",
            "result=\"" + std::string(to_string(verdict)) + "\"")
        .set(board.results[static_cast<std::size_t>(verdict)]);
  }
  counter("mxfeed_scan_parts_fed_total").set(board.parts_fed);
  counter("mxfeed_scan_mails_fed_total").set(board.mails_fed);
  counter("mxfeed_scan_bad_requests_total").set(board.bad_requests);
  counter("mxfeed_scan_gone_clients_total").set(board.gone_clients);
  counter("mxfeed_scan_silent_clients_total").set(board.silent_clients);
  counter("mxfeed_scan_tmpdir_faults_total").set(board.scratch_faults);
  counter("mxfeed_scan_workers_renewed_total").set(board.workers_renewed);
  counter("mxfeed_scan_microseconds_total").set(board.scan_micros);
  gauge("mxfeed_scan_signatures").set(status.signatures);
  gauge("mxfeed_scan_workers").set(status.workers);
  gauge("mxfeed_scan_load_memory_bytes").set(status.load_memory);
  gauge("mxfeed_scan_last_proof_time_seconds").set(board.last_proof);
  const auto newest = status.newest.time_since_epoch().count();
  gauge("mxfeed_scan_database_time_seconds")
      .set(static_cast<std::uint64_t>(std::max<std::int64_t>(0, newest)));
}

}  // namespace mxfeed::virus
