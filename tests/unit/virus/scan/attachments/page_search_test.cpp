// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/virus/scan/attachments/page_search.h"

#include "tests/support/catch.h"

namespace mxfeed::virus {
namespace {

struct Case {
  const char* name;
  std::string page;
  bool builds_file;
};

const Case kCases[] = {
    {"nothing", "", false},
    {"a newsletter", "<html><body><a href=\"https://shop.example/download\">Sale</a>",
     false},
    {"a file from text",
     "<script>var b = new Blob([Uint8Array.from(atob(x), c => c.charCodeAt(0))]);"
     "a.href = URL.createObjectURL(b); a.download = 'a.zip'; a.click();</script>",
     true},
    {"for Internet Explorer",
     "<script>navigator.msSaveOrOpenBlob(new Blob([atob(x)]), 'a.iso')</script>", true},
    {"a file as a link",
     "<a id=x download='a.zip' href='data:application/zip;base64,UEsDBA=='>", true},
    {"a page from text", "<script>document.write(unescape('%3Ch1'))</script>", true},
    {"a script from text", "<script>eval(atob('YWxlcnQoMSk='))</script>", true},
    {"a picture from a script", "<script>i.src = URL.createObjectURL(b)</script>", false},
    {"a font in the page",
     "<style>src: url(data:application/font-woff;base64,AAAA)</style> download", false},
    {"decoding alone", "<script>x = atob('eA=='); location.reload()</script>", false},
};

TEST_CASE("a page builds a file if it makes, decodes and hands one out", "[virus]") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    PageSearch search;
    search.add(c.page);
    CHECK(search.builds_file() == c.builds_file);
    CHECK((!c.builds_file || may_build_file(c.page)));
  }
  CHECK_FALSE(may_build_file(kCases[1].page));
}

TEST_CASE("how a page is cut makes no difference", "[virus]") {
  for (const Case& c : kCases) {
    for (const std::size_t step : {1, 2, 7, 28, 29, 30, 64}) {
      CAPTURE(c.name, step);
      PageSearch search;
      for (std::size_t at = 0; at < c.page.size(); at += step) {
        search.add(std::string_view(c.page).substr(at, step));
      }
      CHECK(search.builds_file() == c.builds_file);
    }
  }
}

}  // namespace
}  // namespace mxfeed::virus
