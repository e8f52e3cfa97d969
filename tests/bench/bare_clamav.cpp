// SPDX-License-Identifier: GPL-2.0-or-later
#include <clamav.h>

#include "common/base/fault.h"
#include "tests/bench/scan_engine.h"

namespace mxfeed::virus {
namespace {

// libclamav alone, with clamd's defaults.
class BareClamav : public Scanner {
 public:
  explicit BareClamav(const std::string& database) {
    ::cl_init(CL_INIT_DEFAULT);
    engine_.reset(::cl_engine_new());
    unsigned signatures = 0;
    const int result =
        ::cl_load(database.c_str(), engine_.get(), &signatures, CL_DB_STDOPT);
    if (result != CL_SUCCESS || ::cl_engine_compile(engine_.get()) != CL_SUCCESS) {
      throw Fault("load", database, ::cl_strerror(static_cast<cl_error_t>(result)));
    }
    // The mails come again and again.
    ::cl_engine_set_num(engine_.get(), CL_ENGINE_DISABLE_CACHE, 1);
  }

  void scan(const std::string& mail) override {
    cl_scan_options options{};
    options.parse = ~0u;
    const char* name = nullptr;
    unsigned long scanned = 0;
    cl_fmap_t* const map = ::cl_fmap_open_memory(mail.data(), mail.size());
    ::cl_scanmap_callback(map, nullptr, &name, &scanned, engine_.get(), &options,
                          nullptr);
    ::cl_fmap_close(map);
  }

 private:
  struct Free {
    void operator()(cl_engine* engine) const { ::cl_engine_free(engine); }
  };
  std::unique_ptr<cl_engine, Free> engine_;
};

}  // namespace

std::unique_ptr<Scanner> make_scanner(const std::string& database) {
  return std::make_unique<BareClamav>(database);
}

}  // namespace mxfeed::virus
