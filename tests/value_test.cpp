// Value, and how it is written as JSON and YAML and read back. Expected texts were made by Python
// 3.11 and PyYAML 6.0.3.
#include <gtest/gtest.h>
#include <levin/train/files/text.h>

#include <cmath>
#include <cstring>

#include "scratch.h"

namespace levin {
namespace {

using Map = Value::Map;
using List = Value::List;
using std::invalid_argument;

TEST(Value, Kinds) {
  EXPECT_TRUE(Value().is_null());
  EXPECT_TRUE(Value(nullptr).is_null());
  EXPECT_EQ(Value(true).as_bool(), true);
  EXPECT_EQ(Value(7).as_integer(), 7);
  EXPECT_EQ(Value(uint64_t{INT64_MAX}).as_integer(), INT64_MAX);
  EXPECT_EQ(Value(0.5f).as_real(), 0.5);
  EXPECT_EQ(Value(7).as_real(), 7);
  EXPECT_EQ(Value("a").as_text(), "a");
  EXPECT_EQ(Value(std::string_view("ab")).as_text(), "ab");
  EXPECT_EQ(Value(List{1, "a"}).as_list()[1], "a");
  EXPECT_EQ(Value(Map{{"a", 1}}).as_map()[0].second, 1);
  EXPECT_FALSE(Value(1) == Value(1.0));
  EXPECT_FALSE(Value(1) == Value(true));
}

TEST(Value, MapsKeepTheOrderOfInsertion) {
  Value value;
  value["b"] = 1;
  value["a"]["deep"] = "x";
  value["b"] = 2;
  EXPECT_EQ(value, Value(Map{{"b", 2}, {"a", Map{{"deep", "x"}}}}));
  EXPECT_EQ(value.size(), 2u);
  EXPECT_EQ(value.at("b"), 2);
  EXPECT_EQ(value.find("c"), nullptr);
  EXPECT_TRUE(value.erase("b"));
  EXPECT_FALSE(value.erase("b"));
  EXPECT_EQ(value.size(), 1u);
}

TEST(Value, ListsGrow) {
  Value value;
  value.push_back(1);
  value.push_back("a");
  EXPECT_EQ(value, Value(List{1, "a"}));
  value.as_list()[0] = 2;
  EXPECT_EQ(value.size(), 2u);
  EXPECT_EQ(Value("text").size(), 0u);
  EXPECT_EQ(value.find("a"), nullptr);
  EXPECT_FALSE(value.erase("a"));
}

TEST(Value, WrongUseIsNamed) {
  EXPECT_EQ(error_of<invalid_argument>([] { Value(1).as_text(); }),
            "value: it is an integer, not text");
  EXPECT_EQ(error_of<invalid_argument>([] { Value("1").as_real(); }),
            "value: it is text, not a double");
  EXPECT_EQ(error_of<invalid_argument>([] { Value(0.5).as_integer(); }),
            "value: it is a double, not an integer");
  EXPECT_EQ(error_of<invalid_argument>([] { Value().as_bool(); }), "value: it is null, not a bool");
  EXPECT_EQ(error_of<invalid_argument>([] { Value(Map()).as_list(); }),
            "value: it is a map, not a list");
  EXPECT_EQ(error_of<invalid_argument>([] {
              Value value = List();
              value["a"];
            }),
            "value: it is a list, not a map");
  EXPECT_EQ(error_of<invalid_argument>([] { Value(true).push_back(1); }),
            "value: it is a bool, not a list");
  EXPECT_EQ(error_of<invalid_argument>([] {
              Value(Map{{"a", 1}}).at("b");
            }),
            "value: the map has no entry 'b'");
  EXPECT_EQ(error_of<invalid_argument>([] { Value(UINT64_MAX); }),
            "value: 18446744073709551615 does not fit into int64");
}

Value sample() {
  return Map{
      {"empty_list", List()},
      {"empty_map", Map()},
      {"null", nullptr},
      {"yes", true},
      {"no", false},
      {"int", INT64_MIN},
      {"big", INT64_MAX},
      {"reals", List{1.0, -0.0, 1e-5, 1e16, 0.624f, 5e-324}},
      {"nested", List{List{1, List{2.5, List()}}, Map{{"a", Map{{"b", List{nullptr}}}}}}},
      {"text", std::string("a\"b\\c/d\b\f\n\r\t\0\x1f\x7f", 15) + "é€😀"},
      {"kéy\n", ""},
  };
}

constexpr const char* kIndented = R"({
    "empty_list": [],
    "empty_map": {},
    "null": null,
    "yes": true,
    "no": false,
    "int": -9223372036854775808,
    "big": 9223372036854775807,
    "reals": [
        1.0,
        -0.0,
        1e-05,
        1e+16,
        0.6240000128746033,
        5e-324
    ],
    "nested": [
        [
            1,
            [
                2.5,
                []
            ]
        ],
        {
            "a": {
                "b": [
                    null
                ]
            }
        }
    ],
    "text": "a\"b\\c/d\b\f\n\r\t\u0000\u001f\u007f\u00e9\u20ac\ud83d\ude00",
    "k\u00e9y\n": ""
})";

constexpr const char* kOneLine =
    R"({"empty_list": [], "empty_map": {}, "null": null, "yes": true, "no": false, )"
    R"("int": -9223372036854775808, "big": 9223372036854775807, )"
    R"("reals": [1.0, -0.0, 1e-05, 1e+16, 0.6240000128746033, 5e-324], )"
    R"("nested": [[1, [2.5, []]], {"a": {"b": [null]}}], )"
    R"("text": "a\"b\\c/d\b\f\n\r\t\u0000\u001f\u007f\u00e9\u20ac\ud83d\ude00", "k\u00e9y\n": ""})";

TEST(Json, IsPythonsDump) {
  EXPECT_EQ(to_json(sample(), 4, NonFinite::null), kIndented);
  EXPECT_EQ(to_json(sample(), -1, NonFinite::text), kOneLine);
  EXPECT_EQ(to_json(List{1, 2}, 0, NonFinite::null), "[\n1,\n2\n]");
  EXPECT_EQ(to_json({}, 4, NonFinite::null), "null");
}

TEST(Json, WhatIsNotFinite) {
  const Value value = List{NAN, INFINITY, -INFINITY};
  EXPECT_EQ(to_json(value, -1, NonFinite::null), "[null, null, null]");
  const std::string text = to_json(value, -1, NonFinite::text);
  EXPECT_EQ(text, R"(["nan", "inf", "-inf"])");
  const Value read = from_json(text, "test");
  EXPECT_TRUE(std::isnan(real_of(read.as_list()[0])));
  EXPECT_EQ(real_of(read.as_list()[1]), INFINITY);
  EXPECT_EQ(real_of(read.as_list()[2]), -INFINITY);
  EXPECT_EQ(real_of(0.5), 0.5);
  EXPECT_EQ(real_of(3), 3);
  EXPECT_EQ(error_of<invalid_argument>([] { real_of("x"); }), "a number is needed, not 'x'");
  EXPECT_THROW(real_of(Value()), invalid_argument);
}

TEST(Json, BytesThatAreNotUTF8AreReplaced) {
  EXPECT_EQ(to_json("a\xff"
                    "b",
                    -1, NonFinite::null),
            R"("a\ufffdb")");
  EXPECT_EQ(to_json(Map{{"\xc3", "\xed\xa0\x80"}}, -1, NonFinite::null).find("\xc3"),
            std::string::npos);
}

TEST(Json, RoundTrip) {
  EXPECT_EQ(from_json(kIndented, "test"), sample());
  EXPECT_EQ(from_json(kOneLine, "test"), sample());
  uint64_t bits = 1;
  for (int i = 0; i < 20000; ++i) {
    bits = bits * 6364136223846793005 + 1442695040888963407;
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    if (!std::isfinite(number)) continue;
    ASSERT_EQ(from_json(to_json(number, -1, NonFinite::text), "test"), Value(number));
  }
}

TEST(Json, NumbersKeepTheirKind) {
  EXPECT_EQ(from_json("1", "test"), Value(1));
  EXPECT_EQ(from_json("1.0", "test"), Value(1.0));
  EXPECT_EQ(from_json("9223372036854775807", "test"), Value(INT64_MAX));
  EXPECT_EQ(from_json("9223372036854775808", "test"), Value(9223372036854775808.0));
  EXPECT_EQ(from_json("-99999999999999999999", "test"), Value(-1e20));
}

std::string json_error(const std::string& text) {
  return error_of<invalid_argument>([&] { from_json(text, "x.json"); });
}

TEST(Json, MalformedTextIsRefused) {
  EXPECT_EQ(json_error(R"({"a": 1, "b": 2, "a": 3})"), "x.json: the key 'a' stands there twice");
  EXPECT_EQ(json_error(R"([{"a": 1}, {"a": 1}])"), "");
  EXPECT_EQ(json_error(R"({"a": {"a": 1}})"), "");
  EXPECT_EQ(json_error("[1, 2"), "x.json: no valid JSON at byte 6");
  for (const char* text : {"", "{", "[1,]", "{\"a\"}", "nul", "NaN", "1 2", "'a'", "\"\x01\"",
                           "\"\\ud800\"", "\"\xff\"", "1e999", "-", "01", "[1] x"})
    EXPECT_TRUE(json_error(text).starts_with("x.json: no valid JSON at byte ")) << text;
}

TEST(Json, DepthIsBounded) {
  EXPECT_EQ(json_error(std::string(100, '[') + std::string(100, ']')), "");
  EXPECT_EQ(json_error(std::string(101, '[') + std::string(101, ']')),
            "x.json: it is nested too deeply");
  EXPECT_EQ(json_error(std::string(1000000, '[')), "x.json: it is nested too deeply");
}

TEST(Json, ManyKeysAreReadInNoTime) {  // strangers' files: nothing quadratic
  std::string text = "{";
  for (int i = 0; i < 200000; ++i) text += "\"key" + std::to_string(i) + "\": 1, ";
  EXPECT_EQ(from_json(text + "\"last\": 2}", "test").size(), 200001u);
}

std::string yaml_of(const char* text) {
  const std::string yaml = to_yaml(Map{{"k", text}});
  EXPECT_TRUE(yaml.starts_with("k: ") && yaml.ends_with("\n"));
  return yaml.substr(3, yaml.size() - 4);
}

TEST(Yaml, TextsThatNeedNoQuotes) {
  for (const char* text : {"a",        "y",
                           "n",        "none",
                           "1.2.3",    "..",
                           ".",        "-a",
                           "--",       "?a",
                           "a:b",      "http://x.y/z",
                           "a#b",      "a,b",
                           "a[0]",     "a{",
                           "it's",     "say \"x\"",
                           "50%",      "a  b",
                           "a\\b",     "C:\\x",
                           "a=b",      "10 x",
                           "3 layers", "1e z",
                           "inf",      "(x)",
                           "a;b",      "a|b",
                           "a&b",      "a!",
                           "/a/b",     "./a",
                           "../a",     "~/a",
                           "1/2",      "0.1.dev0",
                           "+",        "+a",
                           "_",        "_1",
                           "v1",       "key:value",
                           "a?b",      "a ?",
                           "end-",     "1,000",
                           "0xfg",     "Linear(5, 10)"})
    EXPECT_EQ(yaml_of(text), text);
}

TEST(Yaml, TextsInSingleQuotes) {
  for (const char* text :
       {"",      "~",     "null", "Null", "true", "True", "no",     "off",
        "on",    "yes",   "123",  "-5",   "+7",   "0x1F", "0b11",   "017",
        "1_000", "1.5",   ".5",   "1.",   "0",    "1:30", "-1",     "2024-09-24",
        ".inf",  "-.inf", ".nan", "...",  "---",  "-",    "- a",    "?",
        "? a",   ":",     "a: b", "a:",   "a #b", "#a",   ",a",     "[a]",
        "{a}",   "&a",    "*a",   "!a",   "|",    ">",    "\"a\"",  "%d",
        "@a",    "`a`",   " a",   "a ",   "=",    "<<",   "1.0e-5", "2024-09-24 10:00:00"})
    EXPECT_EQ(yaml_of(text), std::string("'") + text + "'");
  EXPECT_EQ(yaml_of("'a'"), "'''a'''");
  // PyYAML leaves these bare; a reader of YAML 1.2 would take them for something else.
  for (const char* text : {"1e5", "-.5", "0o17", "tRue"})
    EXPECT_EQ(yaml_of(text), std::string("'") + text + "'");
}

TEST(Yaml, OtherCharactersAreEscaped) {
  EXPECT_EQ(yaml_of("a\tb"), R"("a\tb")");
  EXPECT_EQ(yaml_of("\a\x1b\x7f"), R"("\a\e\x7F")");
  EXPECT_EQ(yaml_of("é€😀"), R"("\xE9\u20AC\U0001F600")");
  EXPECT_EQ(yaml_of("\u0085\u00a0\u2028\ufeff"), R"("\N\_\L\uFEFF")");
  EXPECT_EQ(yaml_of("\xff"), R"("\uFFFD")");
  EXPECT_EQ(yaml_of("a\n\"b\\"), R"("a\n\"b\\")");  // PyYAML breaks the line instead
}

TEST(Yaml, IsPyYamlsDump) {
  const Value value = Map{
      {"b", 1},
      {"a", Map{{"z", List{1, List{2, 3}, List(), Map()}},
                {"y", Map{{"n", nullptr}, {"t", true}, {"f", false}}}}},
      {"Z", List{Map{{"k", 1}, {"l", List{1, Map{{"m", List()}}}}},
                 List{List{1}, List{Value(List{2})}}}},
      {"reals", List{1.0, -0.0, 1e-05, 1.5e-05, 1e16, 1e100, INFINITY, -INFINITY, NAN}},
      {"é", "x"},
      {"true", "true"},
      {"1", 2},
      {"a: b", 3},
      {"it's", "it's: x"},
      {"big", INT64_MIN},
  };
  EXPECT_EQ(to_yaml(value), R"('1': 2
Z:
- k: 1
  l:
  - 1
  - m: []
- - - 1
  - - - 2
a:
  y:
    f: false
    n: null
    t: true
  z:
  - 1
  - - 2
    - 3
  - []
  - {}
'a: b': 3
b: 1
big: -9223372036854775808
it's: 'it''s: x'
reals:
- 1.0
- -0.0
- 1.0e-05
- 1.5e-05
- 1.0e+16
- 1.0e+100
- .inf
- -.inf
- .nan
'true': 'true'
"\xE9": x
)");
  EXPECT_EQ(to_yaml(Map{{"name", "x"}, {"lr", 0.1}}), "lr: 0.1\nname: x\n");
  EXPECT_EQ(to_yaml(Map()), "{}\n");
  EXPECT_EQ(to_yaml({}), "{}\n");
  EXPECT_EQ(error_of<invalid_argument>([] { to_yaml(5); }), "to_yaml: a map is needed");
}

}  // namespace
}  // namespace levin
