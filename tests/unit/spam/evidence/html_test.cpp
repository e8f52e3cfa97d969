// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/evidence/html.h"

#include <ctime>

#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

TEST_CASE("HTML is read as it is shown", "[spam]") {
  struct {
    const char* name;
    const char* html;
    const char* visible;
    std::size_t hidden;
  } const rows[] = {
      {"text", "a <b>b</b>\n c", "a b c", 0},
      {"words across elements", "a<b>b</b><p>c</p>d", "ab c d", 0},
      {"references", "&lt;a&gt; &#65;&#x42; &amp;amp; &unknown; &#0;",
       "<a> AB &amp; &unknown; \xEF\xBF\xBD", 0},
      {"comments", "a<!-- <b> -->b", "ab", 0},
      {"an open comment is text", "a<!-- b", "a b", 0},
      {"styles and scripts", "a<style>x{}</style><SCRIPT>y</Script>b", "a b", 0},
      {"a style without end", "a<style>x", "a", 0},
      {"hidden", "a<p style=\"color:red; display : none\">bc<p>d</p></p>e", "a e", 3},
      {"the hidden attribute", "a<div hidden>bc</div>e", "a e", 2},
      {"a comparison", "1 < 2", "1 < 2", 0},
      {"a tag that does not end", "a<b c=\"d", "a", 0},
      {"a line break does not hide", "<br style=display:none>b", "b", 0},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const Html html = read_html(row.html);
    CHECK(html.visible == row.visible);
    CHECK(html.hidden == row.hidden);
  }
}

TEST_CASE("links keep their target and their text", "[spam]") {
  const Html html = read_html(
      "<a href='http://a.example/?x&amp;y'>one <b>two</b><a "
      "href=\"b\">three</a><a>no</a>");
  REQUIRE(html.links.size() == 2);
  CHECK(html.links[0].target == "http://a.example/?x&y");
  CHECK(html.links[0].text == "one two");
  CHECK(html.links[1].text == "three");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "<a href=x>y</a>";
  CHECK(read_html(many).links.size() == 200);
}

TEST_CASE("hostile HTML takes linear time", "[spam]") {
  const std::clock_t start = std::clock();  // of this process only
  for (const char* piece : {"<", "<!--", "<a href=\"", "<style>", "&", "&#", " ", "<a ",
                            "</", "<p hidden>"}) {
    std::string text;
    while (text.size() < (1u << 20)) text += piece;
    read_html(text);
  }
  CHECK(std::clock() - start < 10 * CLOCKS_PER_SEC);
}

}  // namespace
}  // namespace mxfeed::spam
