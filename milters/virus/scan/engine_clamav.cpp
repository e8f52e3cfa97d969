// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/engine_clamav.h"

#include <clamav.h>
#include <dlfcn.h>
#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include "common/base/fault.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "milters/virus/scan/attachments/collector.h"
#include "milters/virus/scan/canary.h"
#include "milters/virus/scan/message_scan.h"
#include "milters/virus/scan/scratch.h"
#include "milters/virus/scan/unpacking.h"
#include "milters/virus/scan/worst_finding.h"

namespace mxfeed::virus {

// The scan of one message, and of the parts of it that are scanned separately.
struct Engine::Run {
  const char* directory;
  std::uint64_t size;
  std::chrono::steady_clock::time_point deadline;
  std::vector<std::string> found;
  std::string error;                  // the first
  ScanFault fault = ScanFault::none;  // of the first error
  std::uint64_t max_object;
  std::uint64_t max_sum;
  std::uint64_t sum = 0;  // of the objects shown
  bool unreadable_rar = false;
  bool reads_rar = false;
  // Get the objects, if not null.
  Seen* shown = nullptr;
  Unpacking* unpacking = nullptr;
  AttachmentCollector* attachments = nullptr;

  void note_error(std::string_view cause, ScanFault where = ScanFault::engine) {
    if (fault != ScanFault::none) return;
    fault = where;
    error = trim(cause.substr(0, kMaxName));
  }
  void note_out_of_memory() noexcept {
    if (fault == ScanFault::none) fault = ScanFault::engine;
    error = "out of memory";  // fits into the string without an allocation
  }
};

namespace {

constexpr std::size_t kMaxFound = 100;
constexpr std::string_view kCanaryName = "Mxfeed.Canary";
constexpr std::string_view kLimits = "Heuristics.Limits.Exceeded";
constexpr std::string_view kHeuristics = "Heuristics.";
constexpr std::string_view kMailType = "CL_TYPE_MAIL";
constexpr std::string_view kRarUnread = "Unreadable.RAR";

// The current scan.  libclamav reports some errors without a context.
thread_local void* current_run = nullptr;
// The first error outside of a scan, while loading.
thread_local std::string* load_error = nullptr;

// libclamav allocates megabytes for each scan; to return them to the system and get them
// again would cost a third of the time.
void keep_freed_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 256 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 0x7fffffff);
  ::mallopt(M_TOP_PAD, 16 << 20);
  // A thread that loads has ended when workers use what it has allocated.
  ::mallopt(M_ARENA_MAX, 1);
}

void check(cl_error_t outcome, std::string_view doing, std::string_view subject) {
  if (outcome == CL_SUCCESS) return;
  std::string cause = cl_strerror(outcome);
  if (load_error != nullptr && !load_error->empty()) cause += ": " + *load_error;
  throw Fault(doing, subject, cause);
}

std::function<void(std::string_view)> on_member(AttachmentCollector* attachments) {
  if (attachments == nullptr) return nullptr;
  return
      [attachments](std::string_view name) { attachments->name(name, NameOf::member); };
}

bool has_unrar() {
  void* const library = ::dlopen("libclamunrar_iface.so.12", RTLD_LAZY);
  if (library != nullptr) ::dlclose(library);
  return library != nullptr;
}

}  // namespace

// Functions that libclamav calls; no exception may pass through libclamav.
struct Engine::Callbacks {
  static cl_error_t inspect(int, const char* type, const char**, size_t, const char* name,
                            size_t size, const char* buffer, uint32_t level, uint32_t,
                            void* context) noexcept {
    Run& run = *static_cast<Run*>(context);
    try {
      if (!has_room(run.directory, run.size)) {
        run.note_error("not enough free space to unpack", ScanFault::temporary_space);
      }
      if (!run.reads_rar && !run.unreadable_rar && buffer != nullptr) {
        run.unreadable_rar = has_rar({buffer, size});
      }
      // libclamav cuts a member of a zip archive at a limit without reporting it.
      run.sum += size;
      if (size >= run.max_object) note(run, ".MaxFileSize");
      if (run.sum >= run.max_sum) note(run, ".MaxScanSize");
      if (buffer != nullptr) {
        use(run, {buffer, size}, type != nullptr && type == kMailType, level == 0);
        if (run.attachments != nullptr) {
          run.attachments->content({buffer, size}, name != nullptr ? name : "");
        }
      }
    } catch (const std::exception& error) {
      run.note_out_of_memory();
    }
    return CL_CLEAN;
  }

  // The names in archives that libclamav opens.
  static cl_error_t member(const char*, unsigned long, const char* name, unsigned long,
                           int, unsigned, void* context) noexcept {
    Run& run = *static_cast<Run*>(context);
    try {
      if (run.attachments != nullptr && name != nullptr) {
        run.attachments->name(name, NameOf::member);
      }
    } catch (const std::exception& error) {
      run.note_out_of_memory();
    }
    return CL_CLEAN;
  }

  static void use(Run& run, std::string_view object, bool is_mail, bool is_outermost) {
    if (run.shown != nullptr) run.shown->add(object, is_mail);
    if (run.unpacking == nullptr) return;
    run.unpacking->examine(object, is_outermost && run.shown != nullptr);
  }

  // Searches the whole object: libclamav ignores an archive behind a self-extracting
  // program.
  static bool has_rar(std::string_view object) {
    constexpr std::string_view kMark = "Rar!\x1a\x07";
    return ::memmem(object.data(), object.size(), kMark.data(), kMark.size()) != nullptr;
  }

  static void note(Run& run, const char* limit) {
    add(run, std::string(kLimits) + limit);
  }

  // Adds each name once: a hundred encrypted archives must not displace a virus.
  static void add(Run& run, std::string name) {
    if (run.found.size() < kMaxFound &&
        std::find(run.found.begin(), run.found.end(), name) == run.found.end()) {
      run.found.push_back(std::move(name));
    }
  }

  static void found(int, const char* name, void* context) noexcept {
    Run& run = *static_cast<Run*>(context);
    try {
      add(run, name ? name : "");
    } catch (const std::exception& error) {
      run.note_out_of_memory();
    }
  }

  // Errors that are the file's, and do not end the scan: streams.h reads every xz.  There
  // is no code for them.
  static bool is_of_content(std::string_view text) {
    return text.starts_with("cli_scanxz: decompress error") ||
           text.starts_with("cli_scanxz: premature end");
  }

  static void message(cl_msg severity, const char*, const char* text, void*) noexcept {
    if (severity != CL_MSG_ERROR || is_of_content(text)) return;
    try {
      if (current_run != nullptr) static_cast<Run*>(current_run)->note_error(text);
      if (load_error != nullptr && load_error->empty()) *load_error = trim(text);
    } catch (const std::exception& error) {
      // Out of memory: libclamav's return code reports the error.
    }
  }

  static cl_error_t progress(size_t, size_t, void* context) noexcept {
    (*static_cast<const std::function<void()>*>(context))();
    return CL_SUCCESS;
  }
};

void Engine::Free::operator()(void* engine) const {
  cl_engine_free(static_cast<cl_engine*>(engine));
}

Engine::Engine(const GatewayPolicy::Virus& settings, std::filesystem::path directory,
               const std::function<void()>& alive)
    : settings_(settings),
      canary_(random_hex(24)),
      directory_(std::move(directory)),
      reads_rar_(has_unrar()) {
  keep_freed_memory();
  std::string said;
  load_error = &said;
  struct Unset {
    ~Unset() { load_error = nullptr; }
  } unset;
  cl_set_clcb_msg(Callbacks::message);
  check(cl_init(CL_INIT_DEFAULT), "start engine", "libclamav");
  engine_.reset(cl_engine_new());
  cl_engine* const engine = static_cast<cl_engine*>(engine_.get());
  if (engine == nullptr) throw Fault("start engine", "libclamav", "out of memory");

  const std::pair<cl_engine_field, long long> numbers[] = {
      {CL_ENGINE_MAX_SCANSIZE, static_cast<long long>(settings_.max_scan_size)},
      {CL_ENGINE_MAX_FILESIZE, static_cast<long long>(settings_.max_file_size)},
      {CL_ENGINE_MAX_FILES, settings_.max_files},
      {CL_ENGINE_MAX_RECURSION, settings_.max_recursion},
      {CL_ENGINE_MAX_SCANTIME, settings_.max_scan_time.count() * 1000},
      // Above these limits libclamav skips steps without reporting it: by default it does
      // not match a page of more than 40 MB at all.
      {CL_ENGINE_MAX_HTMLNORMALIZE, static_cast<long long>(settings_.max_file_size)},
      {CL_ENGINE_MAX_HTMLNOTAGS, static_cast<long long>(settings_.max_file_size)},
      {CL_ENGINE_MAX_SCRIPTNORMALIZE, static_cast<long long>(settings_.max_file_size)},
      {CL_ENGINE_MAX_EMBEDDEDPE, static_cast<long long>(settings_.max_file_size)},
      {CL_ENGINE_KEEPTMP, 0},
      // The cache remembers clean content by its MD5, and anybody can make two contents
      // with the same MD5.
      {CL_ENGINE_DISABLE_CACHE, 1},
  };
  for (const auto& [field, value] : numbers) {
    check(cl_engine_set_num(engine, field, value), "set limit", std::to_string(field));
  }
  use_directory(directory_);
  cl_engine_set_clcb_file_inspection(engine, Callbacks::inspect);
  cl_engine_set_clcb_meta(engine, Callbacks::member);
  cl_engine_set_clcb_virus_found(engine, Callbacks::found);
  void* const context = const_cast<std::function<void()>*>(&alive);
  cl_engine_set_clcb_sigload_progress(engine, Callbacks::progress, context);
  cl_engine_set_clcb_engine_compile_progress(engine, Callbacks::progress, context);

  // Without CL_DB_PHISHING_URLS: its heuristics are wrong too often, and infected
  // messages may be deleted.
  constexpr unsigned kKinds = CL_DB_PHISHING | CL_DB_BYTECODE;
  check(cl_load(settings_.database.c_str(), engine, &signatures_, kKinds),
        "load signatures", settings_.database);
  if (signatures_ == 0) {
    throw Fault("load signatures", settings_.database, "no signatures found");
  }

  const std::filesystem::path file = directory_ / "canary.ndb";
  write_file(file, std::string(kCanaryName) + ":0:*:" + to_hex(canary_) + "\n", 0600);
  unsigned count = 0;
  const cl_error_t loaded = cl_load(file.c_str(), engine, &count, kKinds);
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  check(loaded, "load canary", file.string());
  check(cl_engine_compile(engine), "compile signatures", settings_.database);
  cl_engine_set_clcb_sigload_progress(engine, nullptr, nullptr);
  cl_engine_set_clcb_engine_compile_progress(engine, nullptr, nullptr);
  if (!prove()) {
    throw Fault("prove engine", settings_.database, "temporary space is short");
  }
}

Engine::~Engine() = default;

void Engine::use_directory(std::filesystem::path directory) {
  directory_ = std::move(directory);
  check(cl_engine_set_str(static_cast<cl_engine*>(engine_.get()), CL_ENGINE_TMPDIR,
                          directory_.c_str()),
        "use temporary directory", directory_.string());
}

bool Engine::prove() {
  const ScanResult with = scan(canary_mail(canary_), FeedRule::none);
  if (with.fault == ScanFault::temporary_space) return false;
  if (with.verdict != ScanVerdict::infected || !with.name.starts_with(kCanaryName)) {
    throw Fault("prove engine", settings_.database,
                "the test message was not found infected, but " +
                    std::string(to_string(with.verdict)) + " " + with.name);
  }
  const ScanResult without = scan(canary_mail(random_hex(24)), FeedRule::none);
  if (without.fault == ScanFault::temporary_space) return false;
  if (without.verdict != ScanVerdict::clean) {
    throw Fault("prove engine", settings_.database,
                "a clean test message was found " +
                    std::string(to_string(without.verdict)) + " " + without.name);
  }
  return true;
}

void Engine::run(std::string_view content, Run& run) {
  using std::chrono::milliseconds;
  if (content.size() >= settings_.max_file_size) {
    run.found.push_back(std::string(kLimits) + ".MaxFileSize");
    return;
  }
  const auto left = std::chrono::duration_cast<milliseconds>(
      run.deadline - std::chrono::steady_clock::now());
  if (left <= milliseconds(0)) {
    run.found.push_back(std::string(kLimits) + ".MaxScanTime");
    return;
  }
  cl_engine* const engine = static_cast<cl_engine*>(engine_.get());
  cl_engine_set_num(engine, CL_ENGINE_MAX_SCANTIME, left.count());
  cl_scan_options options{};
  // All matches: an encrypted archive must not hide an exceeded limit, and neither of
  // them a virus.
  options.general = CL_SCAN_GENERAL_HEURISTICS | CL_SCAN_GENERAL_ALLMATCHES;
  options.parse = ~0u;
  options.heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX |
                      CL_SCAN_HEURISTIC_ENCRYPTED_ARCHIVE |
                      CL_SCAN_HEURISTIC_ENCRYPTED_DOC;
  // Never CL_SCAN_MAIL_PARTIAL_MESSAGE: it stores pieces of messages in the file system.
  options.mail = 0;

  cl_fmap_t* const map = cl_fmap_open_memory(content.data(), content.size());
  if (map == nullptr) {
    run.note_error("out of memory");
    return;
  }
  const char* name = nullptr;
  unsigned long scanned = 0;
  current_run = &run;
  const cl_error_t outcome =
      cl_scanmap_callback(map, nullptr, &name, &scanned, engine, &options, &run);
  current_run = nullptr;
  cl_fmap_close(map);
  run.sum = 0;
  if (outcome == CL_CLEAN) return;
  if (outcome == CL_VIRUS) {
    // The name belongs to the engine, and is sometimes missing.
    if (run.found.empty()) run.found.emplace_back(name ? name : "unnamed");
  } else if (outcome == CL_EMAXREC || outcome == CL_EMAXSIZE || outcome == CL_EMAXFILES ||
             outcome == CL_ETIMEOUT) {
    run.found.push_back(std::string(kLimits) + "." + cl_strerror(outcome));
  } else {
    run.note_error(cl_strerror(outcome));
  }
}

// The engine as MessageScan uses it; keeps the worst finding.
class Engine::Weigher : public PlainEngine {
 public:
  Weigher(Engine& engine, Run& run) : engine_(engine), run_(run) {}

  void scan(std::string_view content, Seen* shown) override {
    run_.shown = shown;
    engine_.run(content, run_);
    run_.shown = nullptr;
    for (const std::string& name : run_.found) {
      std::string_view shown_name = name;
      const ScanVerdict verdict = classify(name);
      if (verdict == ScanVerdict::unscannable && shown_name.starts_with(kLimits)) {
        shown_name.remove_prefix(std::min(shown_name.size(), kLimits.size() + 1));
      } else if (verdict != ScanVerdict::infected) {
        shown_name.remove_prefix(kHeuristics.size());
      }
      found(verdict, shown_name);
    }
    run_.found.clear();
  }

  void found(ScanVerdict verdict, std::string_view name) override {
    worst_.consider(verdict, name);
  }

  bool goes_on() override {
    if (worst_.verdict == ScanVerdict::infected) return false;
    if (std::chrono::steady_clock::now() < run_.deadline) return true;
    found(ScanVerdict::unscannable, "MaxScanTime");
    return false;
  }

  const WorstFinding& worst() const { return worst_; }

 private:
  Engine& engine_;
  Run& run_;
  WorstFinding worst_;
};

ScanResult Engine::scan(std::string_view mail, FeedRule rule, bool lists_attachments) {
  ScanResult result;
  result.signatures = signatures_;
  if (auto trouble = scratch_trouble(directory_, mail.size())) {
    result.name = "temporary directory: " + *trouble;
    result.fault = ScanFault::temporary_space;
    return result;
  }
  Run run;
  run.directory = directory_.c_str();
  run.size = mail.size();
  run.deadline = std::chrono::steady_clock::now() + settings_.max_scan_time;
  run.max_object = settings_.max_file_size;
  run.max_sum = std::max<std::uint64_t>(settings_.max_scan_size, mail.size() + 1);
  run.reads_rar = reads_rar_;
  AttachmentCollector attachments;
  if (lists_attachments) run.attachments = &attachments;
  Weigher weigher(*this, run);
  Unpacking unpacking(
      {.bytes = settings_.max_scan_size,
       .each = settings_.max_file_size,
       .contents = settings_.max_files,
       .is_late = [&run] { return std::chrono::steady_clock::now() >= run.deadline; },
       .on_name = on_member(run.attachments)},
      settings_.max_recursion);
  if (rule != FeedRule::none) run.unpacking = &unpacking;
  MessageScan scan(weigher, rule, run.attachments);
  scan.run(mail);
  for (auto content = unpacking.next(); content && weigher.goes_on();
       content = unpacking.next()) {
    content->is_message ? scan.message(content->bytes) : scan.file(content->bytes);
  }
  if (!unpacking.unscannable().empty()) {
    weigher.found(ScanVerdict::unscannable, unpacking.unscannable());
  }
  if (!unpacking.encrypted().empty()) {
    weigher.found(ScanVerdict::encrypted, unpacking.encrypted());
  }
  result.parts_fed = scan.parts_fed();
  if (run.unreadable_rar) weigher.found(ScanVerdict::encrypted, kRarUnread);

  // An infection that was found is certain; any other result needs a scan without errors.
  if (weigher.worst().verdict != ScanVerdict::infected) {
    if (auto trouble = scratch_trouble(directory_, mail.size())) {
      run.note_error("temporary directory: " + *trouble, ScanFault::temporary_space);
    }
    if (run.fault != ScanFault::none) {
      result.name = run.error;
      result.fault = run.fault;
      return result;
    }
  }
  result.verdict = weigher.worst().verdict;
  if (lists_attachments && result.verdict != ScanVerdict::infected) {
    result.attachments = std::move(attachments).take();
  }
  result.name = weigher.worst().name;
  return result;
}

ScanVerdict classify(std::string_view signature) {
  if (signature.starts_with(kLimits) || signature == "Heuristics.XZ.DicSizeLimit") {
    return ScanVerdict::unscannable;
  }
  if (signature.starts_with("Heuristics.Encrypted.")) return ScanVerdict::encrypted;
  return ScanVerdict::infected;
}

}  // namespace mxfeed::virus
