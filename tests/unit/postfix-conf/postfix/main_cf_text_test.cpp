// SPDX-License-Identifier: GPL-2.0-or-later
#include "postfix-conf/postfix/main_cf_text.h"

#include <algorithm>
#include <optional>

#include "common/base/fault.h"
#include "tests/support/catch.h"

namespace mxfeed {
namespace {

using Strings = std::vector<std::string>;

bool is_ours(std::string_view item) {
  return item.starts_with("cdb:/m/") || item.find("$mxfeed_") != std::string_view::npos;
}

struct ValueCase {
  const char* name;
  std::string text;
  std::optional<std::string> value;  // of "a"
};

const ValueCase kValues[] = {
    {"one line", "a = b\n", "b"},
    {"no final newline", "a = b", "b"},
    {"no blanks", "a=b\n", "b"},
    {"tabs and blanks at the ends", "a\t=\t b \t\n", "b"},
    {"empty", "a =\n", ""},
    {"not there", "ab = c\nb = a = d\n", std::nullopt},
    {"empty file", "", std::nullopt},
    {"continued", "a = b,\n  c\n\td\n", "b,  c\td"},
    {"comment inside", "a = b\n# c\n  # d\n  e\n", "b  e"},
    {"empty lines inside", "a = b\n\n \t\n  e\n", "b  e"},
    {"a comment ends nothing, a line does", "a = b\n# c\nd = e\n  f\n", "b"},
    {"value on the next line", "a =\n  b\n", "b"},
    {"equals sign on the next line", "a\n  = b\n", "b"},
    {"the last one holds", "a = b\na = c\n", "c"},
    {"CRLF", "a = b\r\n  c\r\nd = e\r\n", "b\r  c"},
    {"blanks at the start of the file", "  a = b\n", std::nullopt},
    {"blanks behind a comment only", "# x\n  a = b\n", std::nullopt},
    {"blanks behind another continue it", "b = c\n  a = b\n", std::nullopt},
    {"braces", "a = { b = c }, ${d?{e}:{f}}\n", "{ b = c }, ${d?{e}:{f}}"},
    {"sharp sign in a value", "a = b #c\n  d#\n", "b #c  d#"},
    {"backslash continues nothing", "a = b\\\nc = d\n", "b\\"},
    {"NUL", std::string("a = b\0c\n  d\n", 12), "b"},
    {"vertical tab and form feed", "a\f=\vb\vc\v\n\fd\n", "b\vc\v\fd"},
    {"no-break space is none", "a = b\n\xA0 = c\n", "b"},
    {"commented out", "#a = b\n", std::nullopt},
    {"lines that are no assignments", "if x\n= y\na = b\n{ a = c }\n", "b"},
};

TEST_CASE("a value is read as Postfix reads it", "[postfix]") {
  for (const auto& c : kValues) {
    DYNAMIC_SECTION(c.name) {
      const MainCf main(c.text, is_ours);
      CHECK(main.value("a") == c.value);
      CHECK(main.text() == c.text);
    }
  }
}

struct SetCase {
  const char* name;
  std::string before;
  std::string after;  // of a = N; % stands for the number
};

const SetCase kSets[] = {
    {"there is none", "b = c\n", "b = c\n# mxfeed: begin a %\na = N\n# mxfeed: end\n"},
    {"empty file", "", "# mxfeed: begin a %\na = N\n# mxfeed: end\n"},
    {"there is one", "x = y\na = b\nz = y\n",
     "x = y\n# mxfeed: begin a %\n#| a = b\na = N\n# mxfeed: end\nz = y\n"},
    {"of several lines", "a = b,\n\n# c\n\td\n# e\nf = g\n",
     "# mxfeed: begin a %\n#| a = b,\n#|\n#| # c\n#| \td\na = N\n# mxfeed: end\n# e\n"
     "f = g\n"},
    {"twice", "a = b\na = c\n",
     "a = b\n# mxfeed: begin a %\n#| a = c\na = N\n# mxfeed: end\n"},
    {"no final newline", "b = c",
     "b = c\n# mxfeed: no final newline\n# mxfeed: begin a %\na = N\n# mxfeed: end\n"},
    {"there is one without a final newline", "a = b",
     "# mxfeed: begin a %\n#| a = b\na = N\n# mxfeed: end\n# mxfeed: no final newline\n"},
    {"no final newline elsewhere", "a = b\nc = d",
     "# mxfeed: begin a %\n#| a = b\na = N\n# mxfeed: end\nc = d"},
    {"CRLF", "a = b\r\n  c\r\n",
     "# mxfeed: begin a %\n#| a = b\r\n#|   c\r\na = N\n# mxfeed: end\n"},
    {"it is so already", "a =  N \n", "a =  N \n"},
    {"comments at the end", "b = c\n# d\n  # e\n",
     "b = c\n# d\n  # e\n# mxfeed: begin a %\na = N\n# mxfeed: end\n"},
};

// With the number of each block.
std::string numbered(std::string text, const std::string& as) {
  for (const auto& block : cf_blocks(as)) {
    const auto head = as.substr(block.begin, as.find('\n', block.begin) - block.begin);
    const auto percent = text.find('%');
    if (percent == std::string::npos) break;
    text.replace(percent, 1, head.substr(head.rfind(' ') + 1));
  }
  return text;
}

TEST_CASE("a parameter is set in its place and given back", "[postfix]") {
  for (const auto& c : kSets) {
    DYNAMIC_SECTION(c.name) {
      MainCf main(c.before, is_ours);
      const auto site = main.value("a");
      main.set("a", "N");
      CHECK(main.text() == numbered(c.after, main.text()));
      CHECK(main.value("a") == "N");
      CHECK(main.site_value("a") == site);
      const bool changed = c.before != c.after;
      CHECK(main.ours() == (changed ? Strings{"a"} : Strings{}));
      const auto once = main.text();
      main.set("a", "N");
      CHECK(main.text() == once);
      main.set("a", "");
      CHECK(main.value("a") == "");
      CHECK(main.site_value("a") == site);
      CHECK(main.take_back("a") == TakenBack::restored);
      CHECK(main.text() == c.before);
      CHECK(main.take_back("a") == TakenBack::nothing);
      CHECK(main.ours().empty());
    }
  }
}

TEST_CASE("parameters are given back in any order", "[postfix]") {
  for (const std::string text :
       {"", "a = b", "a = b\n", "b = x\n# c\na = b\n  d", "# e"}) {
    Strings names = {"a", "b", "mxfeed_c"};
    do {
      CAPTURE(text, names);
      MainCf main(text, is_ours);
      for (const char* name : {"mxfeed_c", "a", "b"}) main.set(name, "N");
      CHECK(main.ours().size() == 3);
      for (const auto& name : names) CHECK(main.take_back(name) == TakenBack::restored);
      CHECK(main.text() == text);
    } while (std::next_permutation(names.begin(), names.end()));
  }
}

struct ChangeCase {
  const char* name;
  std::string before;
  const char* set;
  // What the site does: the first text becomes the second; an empty one: at the end.
  std::string from;
  std::string to;
  TakenBack taken;
  std::string after;
  bool comments_lost = false;
};

const ChangeCase kChanges[] = {
    {"an item added", "a = h:/x,\n  y\n", "h:/x, y, cdb:/m/r", "cdb:/m/r\n",
     "cdb:/m/r, h:/z\n", TakenBack::merged, "a = h:/x, y, h:/z\n"},
    {"an item added in front", "a = h:/x\n", "h:/x, cdb:/m/r", "= h:/x", "= h:/z h:/x",
     TakenBack::merged, "a = h:/z h:/x\n"},
    {"an item added where there was none", "", "cdb:/m/r", "a = cdb:/m/r",
     "a = cdb:/m/r, h:/z", TakenBack::merged, "a = h:/z\n"},
    {"a continuation line added", "a = h:/x\n", "h:/x, cdb:/m/r", "cdb:/m/r\n",
     "cdb:/m/r,\n  h:/z\n", TakenBack::merged, "a = h:/x,\n  h:/z\n"},
    {"a continuation line added behind the block", "a = h:/x\n", "h:/x cdb:/m/r", "",
     "  h:/z\n", TakenBack::merged, "a = h:/x\n  h:/z\n"},
    {"a comment added", "a = h:/x\n", "h:/x cdb:/m/r", "a = h:/x c", "# c\na = h:/x c",
     TakenBack::merged, "# c\na = h:/x\n"},
    {"a comment added inside", "a = h:/x\n", "h:/x cdb:/m/r", "h:/x c", "h:/x\n# c\n c",
     TakenBack::merged, "a = h:/x\n# c\n"},
    {"only the layout changed", "a =\n h:/x\n", "h:/x, cdb:/m/r", "a = h:/x, ",
     "a=\n  h:/x\n  ", TakenBack::restored, "a =\n h:/x\n"},
    {"ours taken out by hand", "a = h:/x ,y\n", "h:/x, y, cdb:/m/r", ", cdb:/m/r", "",
     TakenBack::restored, "a = h:/x ,y\n"},
    {"all but ours taken out", "a = h:/x\n", "h:/x, cdb:/m/r", "= h:/x, ", "= ",
     TakenBack::merged, "a =\n"},
    {"another value", "a = yes\n", "no", "a = no", "a = maybe", TakenBack::kept,
     "a = maybe\n"},
    {"another value where there was none", "b = c\n", "no", "a = no", "a = maybe",
     TakenBack::kept, "b = c\na = maybe\n"},
    {"the value from before", "a =  yes\n", "no", "a = no", "a = yes",
     TakenBack::restored, "a =  yes\n"},
    {"the line taken out", "a = h:/x\nb = c\n", "h:/x, cdb:/m/r", "a = h:/x, cdb:/m/r\n",
     "", TakenBack::kept, "b = c\n"},
    {"the line commented out", "a = h:/x\nb = c\n", "h:/x, cdb:/m/r", "a = h:/x, c",
     "#a = h:/x, c", TakenBack::kept, "#a = h:/x, cdb:/m/r\nb = c\n"},
    {"the record taken out", "a = h:/x\n", "h:/x, cdb:/m/r", "#| a = h:/x\n", "",
     TakenBack::merged, "a = h:/x\n"},
    {"another definition behind", "a = h:/x\n", "h:/x, cdb:/m/r", "", "a = q\n",
     TakenBack::restored, "a = h:/x\na = q\n"},
    {"another with ours in it", "a = h:/x\n", "h:/x, cdb:/m/r", "", "a = q cdb:/m/r\n",
     TakenBack::merged, "a = h:/x\na = q\n"},
    {"another parameter in the block", "a = h:/x\n", "h:/x cdb:/m/r", "# mxfeed: end",
     "b = c\n# mxfeed: end", TakenBack::merged, "a = h:/x\nb = c\n"},
    {"a parameter behind the last line", "x = y", "N", "", "b = c\n", TakenBack::restored,
     "x = y\nb = c\n"},
    {"comments lost", "a = h:/x,\n  y\nb = c\n", "h:/x, y, cdb:/m/r", "b = c\n",
     "b = c\n", TakenBack::merged, "a = h:/x, y\nb = c\n", true},
    {"comments lost where there was none", "b = c\n", "cdb:/m/r", "b = c\n", "b = c\n",
     TakenBack::merged, "b = c\n", true},
    {"comments lost, ours in front", "a = x\n", "cdb:/m/r,x",
     "a = ", "a = ", TakenBack::merged, "a = x\n", true},
    {"comments lost, ours between", "a = x y\n", "x,cdb:/m/r,cdb:/m/s, y",
     "a = ", "a = ", TakenBack::merged, "a = x,y\n", true},
    {"comments lost, ours on its own line", "a = x y\n", "x, cdb:/m/r", " cdb:/m/r",
     "\n  cdb:/m/r\n  , y", TakenBack::merged, "a = x,\n  , y\n", true},
    {"comments lost, ours last and alone", "a = x\n", "x, cdb:/m/r", " cdb:/m/r",
     "\n  cdb:/m/r", TakenBack::merged, "a = x\n", true},
    {"comments lost, CRLF", "a = x\n", "x, cdb:/m/r", " cdb:/m/r\n", "\r\n  cdb:/m/r\r\n",
     TakenBack::merged, "a = x\r\n", true},
    {"comments lost, in braces", "a = x\n", "{ $mxfeed_c, y=z } x", "", "",
     TakenBack::merged, "a = x\n", true},
    {"comments lost, not a list", "a = yes\n", "no", "", "", TakenBack::nothing,
     "a = no\n", true},
    {"CRLF everywhere", "a = x\nb = c\n", "x, cdb:/m/r", "\n", "\r\n",
     TakenBack::restored, "a = x\r\nb = c\r\n"},
};

std::string changed(std::string text, const ChangeCase& c) {
  if (c.comments_lost) {
    std::string rest;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at) + 1;
      if (text[at] != '#') rest += text.substr(at, end - at);
      at = end;
    }
    text = rest;
  }
  if (c.from.empty()) return text + c.to;
  const bool all = c.from == "\n";
  for (auto at = all ? 0 : text.rfind(c.from); (at = text.find(c.from, at)) != text.npos;
       at += c.to.size()) {
    text.replace(at, c.from.size(), c.to);
    if (!all) break;
  }
  return text;
}

TEST_CASE("what the site changed stays", "[postfix]") {
  for (const auto& c : kChanges) {
    DYNAMIC_SECTION(c.name) {
      MainCf before(c.before, is_ours);
      before.set("a", c.set);
      const auto text = changed(before.text(), c);
      if (c.from != c.to) REQUIRE(text != before.text());
      MainCf main(text, is_ours);
      CHECK(main.take_back("a") == c.taken);
      CHECK(main.text() == c.after);
      CHECK(main.ours().empty());
      // Attached again, that is the record.
      MainCf again(text, is_ours);
      again.set("a", "N");
      CHECK(again.value("a") == "N");
      CHECK(again.site_value("a") == main.value("a"));
      again.take_back("a");
      CHECK(again.text() == c.after);
    }
  }
}

TEST_CASE("a parameter of ours goes whatever became of it", "[postfix]") {
  for (const std::string text : {"mxfeed_a = x\n", "mxfeed_a = x\n  y\nmxfeed_a=\n"}) {
    MainCf main(text + "b = c\n", is_ours);
    CHECK(main.ours() == Strings{"mxfeed_a"});
    CHECK(main.take_back("mxfeed_a") == TakenBack::merged);
    CHECK(main.text() == "b = c\n");
  }
  MainCf main("b = c\n", is_ours);
  main.set("mxfeed_a", "unix:x");
  MainCf edited(main.text() + "  unix:y\n", is_ours);
  CHECK(edited.value("mxfeed_a") == "unix:x  unix:y");
  CHECK(edited.take_back("mxfeed_a") == TakenBack::merged);
  CHECK(edited.text() == "b = c\n");
}

TEST_CASE("markers that belong to nothing are comments", "[postfix]") {
  for (const std::string text :
       {"# mxfeed: begin a 1\na = b\n", "a = b\n# mxfeed: end\n", "# mxfeed: begin\n",
        "#| a = b\n", "# mxfeed: begin x 1\n# mxfeed: begin\n",
        "a = b\n# mxfeed: begin"}) {
    CAPTURE(text);
    MainCf main(text, is_ours);
    CHECK(main.ours().empty());
    CHECK(main.take_back("a") == TakenBack::nothing);
    CHECK(main.text() == text);
  }
}

TEST_CASE("what cannot be written in one line is refused", "[postfix]") {
  MainCf main("a = b\n", is_ours);
  const auto refused = [&](std::string_view name, std::string_view value) {
    CAPTURE(name, value);
    CHECK_THROWS_AS(main.set(name, value), Fault);
    CHECK(main.text() == "a = b\n");
  };
  for (const char* name : {"", " ", "a b", "a=", "#a", " a", "a\n"}) refused(name, "c");
  for (const char* value : {" ", "b ", "\tb", "b\n", "b\n  c", "b\nc = d", "\r"}) {
    refused("a", value);
  }
  refused("a", std::string_view("b\0c", 3));
}

}  // namespace
}  // namespace mxfeed
