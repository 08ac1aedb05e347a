// SPDX-License-Identifier: Apache-2.0
// Options: what is read, refused, kept in a checkpoint and compared when a run is resumed, all from one row each.
#include <gtest/gtest.h>

#include "core/options.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

enum class Colour { red, green };

struct Flavour {
  std::string name, help;
  int sugar;
  static std::vector<Flavour> table() { return {{"sweet", "much", 9}, {"sour", "little", 1}}; }
};

}  // namespace

template <>
struct Names<Colour> {
  static constexpr const char* list[] = {"red", "green"};
};

namespace {

struct Example {
  int64_t count = 3;
  double rate = 0.5, weight = 0;
  bool loud = false, on = false;
  Colour colour = Colour::red;
  Choice<Flavour> flavour = "sweet";
  std::vector<int64_t> layers;
  std::string log;
  Options rows;

  Example() {
    rows.add("count", count, "how many").at_least(1);
    rows.add("rate", rate, "how fast")
        .between(0, 1, "a share from 0 to 1 is expected")
        .because("the steps depend on it");
    rows.add("weight", weight, "how heavy").not_negative();
    rows.flag("loud", loud, "not quiet").free();
    rows.add("log", log, "where").free();
    rows.begin(
        {.prefix = "group.", .entry = "group", .on = [this] { return on; }, .why = "nothing without --group.on"});
    rows.flag("on", on, "the switch").is_switch().free();
    rows.add("colour", colour, "red or green");
    rows.choose("flavour", flavour, Flavour::table(), "the taste");
    rows.add("layers", layers, "numbers")
        .by_commas()
        .only_if([this] { return colour == Colour::green; }, "is for green ones");
    rows.begin({});
  }
  void set(const std::string& name, const std::vector<std::string>& texts) {
    for (Option& row : rows.rows())
      if (row.name == name) row.given = true, row.set(texts);
  }
  std::string error() {
    return error_of<Error>([&] { rows.check(); });
  }
};

TEST(Options, ReadValuesOfEveryKind) {
  Example e;
  e.set("count", {"7"});
  e.set("group.on", {"true"});
  e.set("group.colour", {"green"});
  e.set("group.flavour", {"sour"});
  e.set("group.layers", {"0", "2"});
  e.rows.check();
  EXPECT_EQ(e.count, 7);
  EXPECT_TRUE(e.on && e.colour == Colour::green && e.flavour->sugar == 1);
  EXPECT_EQ(e.layers, (std::vector<int64_t>{0, 2}));
}

TEST(Options, SayWhatIsExpected) {
  Example e;
  const auto read = [&](const std::string& name, const std::string& text) {
    return error_of<Error>([&] { e.set(name, {text}); });
  };
  EXPECT_EQ(read("count", "1e3"), "--count '1e3': a whole number is expected");
  EXPECT_EQ(read("rate", "x"), "--rate 'x': a number is expected");
  EXPECT_EQ(read("loud", "maybe"), "--loud 'maybe': true or false is expected");
  EXPECT_EQ(read("group.colour", "blue"), "--group.colour blue: choose red or green");
  EXPECT_EQ(read("group.flavour", "salty"), "--group.flavour salty: choose sweet or sour");
}

TEST(Options, RefuseWhatIsOutOfRangeOrWithoutEffect) {
  const auto error = [](const std::vector<std::pair<std::string, std::string>>& given) {
    Example e;
    for (const auto& [name, text] : given) e.set(name, {text});
    return e.error();
  };
  EXPECT_EQ(error({}), "no error");
  EXPECT_EQ(error({{"count", "0"}}), "--count 0: at least 1 is expected");
  EXPECT_EQ(error({{"rate", "2"}}), "--rate 2: a share from 0 to 1 is expected");
  for (const char* no_number : {"nan", "inf", "1e999", "0x1", "1,5", "half", ""})
    EXPECT_EQ(error_of<Error>([&] {
                error({{"rate", no_number}});
              }),
              std::string("--rate '") + no_number + "': a number is expected");
  EXPECT_EQ(error({{"group.colour", "green"}}), "--group.colour: nothing without --group.on");
  EXPECT_EQ(error({{"group.colour", "red"}}), "--group.colour: nothing without --group.on") << "also at its default";
  EXPECT_EQ(error({{"group.on", "true"}, {"group.layers", "1"}}), "--group.layers: is for green ones");
  EXPECT_EQ(error({{"group.on", "true"}, {"group.colour", "green"}, {"group.layers", "1"}}), "no error");
}

TEST(Options, KeepWhatDecidesTheResult) {
  Example e;
  e.set("loud", {"true"});
  e.set("log", {"here"});
  EXPECT_EQ(e.rows.effective().text(), R"({"count":3,"rate":0.5,"weight":0.0})");
  e.set("group.on", {"true"});
  EXPECT_EQ(e.rows.effective().text(),
            R"({"count":3,"group":{"colour":"red","flavour":"sweet","layers":[]},"rate":0.5,"weight":0.0})");
}

TEST(Options, AResumedRunHasTheSameOnes) {
  const auto error = [](const std::string& saved, const std::vector<std::pair<std::string, std::string>>& given) {
    Example e;
    std::string data = "here";
    e.rows.add("data", data, "a path").by_content();
    for (const auto& [name, text] : given) e.set(name, {text});
    return error_of<Error>([&] { e.rows.expect_same(Record::parse(saved, "saved"), "s.h5", {"old"}); });
  };
  EXPECT_EQ(error(R"({"count":3,"old":1})", {{"loud", "true"}}), "no error") << "what is missing is at its default";
  EXPECT_EQ(error(R"({"count":4})", {}),
            "s.h5: --count was 4 and is now 3; resume with the options of the stopped run");
  EXPECT_EQ(error(R"({"rate":0.25})", {}),
            "s.h5: --rate was 0.25 and is now 0.5, but the steps depend on it; resume with the options of the stopped "
            "run");
  EXPECT_EQ(error(R"({"data":"there"})", {{"data", "here"}}), "no error") << "what is there decides";
  EXPECT_EQ(error("{}", {{"group.on", "true"}}),
            "s.h5: the stopped run had no option --group; resume with the options of the stopped run");
  EXPECT_EQ(error(R"({"group":{"colour":"green"}})", {}),
            "s.h5: --group.colour was \"green\" and is now \"red\"; resume with the options of the stopped run");
  EXPECT_EQ(error(R"({"group":{"colour":"red"}})", {}),
            "s.h5: the stopped run had options --group and this one has none; resume with the options of the stopped "
            "run");
  EXPECT_EQ(error(R"({"group":{"size":2}})", {}),
            "s.h5: --group.size was 2 and this program does not have it; resume with the program of the stopped run");
}

TEST(Options, TwoRowsOfOneNameAreSetTogetherAndOneCounts) {
  bool first_counts = true;
  double a = 1, b = 2;
  Options rows;
  rows.add("rate", a, "of the first").only_if([&] { return first_counts; }, "is for the first");
  rows.add("rate", b, "of the second").only_if([&] { return !first_counts; }, "is for the second");
  EXPECT_EQ(rows.effective().number("rate", 0), 1);
  first_counts = false;
  EXPECT_EQ(rows.effective().number("rate", 0), 2);
  for (Option& row : rows.rows()) row.given = true, row.set({"3"});
  rows.check();
  EXPECT_EQ(a, 3);
  EXPECT_EQ(b, 3);
}

}  // namespace
}  // namespace espalier
