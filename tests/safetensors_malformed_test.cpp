// Files that break the format's rules, each with the words that its error must have.
#include <gtest/gtest.h>
#include <levin/tensor/safetensors.h>

#include "scratch.h"

namespace levin {
namespace {

std::string raw(const std::string& header, std::size_t data_size = 0) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  return bytes + header + std::string(data_size, '\0');
}

std::string tensor_entry(const std::string& dtype, const std::string& shape,
                         const std::string& offsets) {
  return R"({"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

// A file of one tensor "x".
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets,
                std::size_t data_size) {
  return raw("{\"x\":" + tensor_entry('"' + dtype + '"', shape, offsets) + "}", data_size);
}

std::string two(const std::string& first, const std::string& second, std::size_t data_size) {
  return raw("{\"x\":" + tensor_entry("\"U8\"", "[4]", first) +
                 ",\"y\":" + tensor_entry("\"U8\"", "[4]", second) + "}",
             data_size);
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

struct Malformed {
  std::string bytes;
  const char* error;  // after "memory: "
};

std::vector<Malformed> bad_frames() {
  return {
      {"", "not a safetensors file: shorter than 8 bytes"},
      {std::string(7, '\0'), "not a safetensors file: shorter than 8 bytes"},
      {std::string(8, '\0'), "not a safetensors file: its header does not begin with {"},
      {std::string(8, '\xff'), "not a safetensors file: its header would pass 100 MB"},
      {std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10), "its header would pass 100 MB"},
      {std::string("\0\xe1\xf5\x05\0\0\0\0{}", 10), "its header ends after the file"},
      {std::string("\x03\0\0\0\0\0\0\0{}", 10), "its header ends after the file"},
      {raw(" {}"), "its header does not begin with {"},
      {raw("[]"), "its header does not begin with {"},
      {raw("\xef\xbb\xbf{}"), "its header does not begin with {"},
      {raw(std::string("{}\0evil", 7)), "its header holds a NUL"},
      {raw("{}\n"), "its header ends with other white space than spaces"},
      {raw("{} \t"), "its header ends with other white space than spaces"},
      {raw("{"), "no valid JSON at byte"},
      {raw("{} {}"), "no valid JSON at byte"},
      {raw("{\"x\xff\":1}"), "no valid JSON at byte"},
      {raw("{/**/}"), "no valid JSON at byte"},
      {raw("{\"x\":}"), "no valid JSON at byte"},
      {raw("{\"x\":NaN}"), "no valid JSON at byte"},
  };
}

std::vector<Malformed> bad_structures() {
  return {
      {raw("{\"x\":1}"), "\"x\": a number stands where none may be"},
      {raw("{\"x\":\"y\"}"), "\"x\": a text stands where none may be"},
      {raw("{\"x\":[]}"), "\"x\": a list stands where none may be"},
      {raw("{\"x\":null}"), "\"x\": null stands where it may not be"},
      {raw("{\"x\":true}"), "\"x\": true or false stands where it may not be"},
      {raw("{\"x\":{}}"), "\"x\": dtype, shape and data_offsets are needed"},
      {raw(R"({"x":{"dtype":"U8","shape":[0]}})"), "\"x\": dtype, shape and data_offsets are"},
      {raw(R"({"x":{"dtype":{}}})"), "\"x\": an object stands where none may be"},
      {raw(R"({"x":{"dtype":"U8","dtype":"U8"}})"), "\"x\": the key \"dtype\" comes twice"},
      {raw(R"({"x":{"kind":1}})"), "\"x\": the key \"kind\" is not one of dtype, shape"},
      {raw("{\"x\":" + tensor_entry("\"U8\"", "[0]", "[0,0]") +
           ",\"x\":" + tensor_entry("\"U8\"", "[0]", "[0,0]") + "}"),
       "the key \"x\" comes twice"},
      {raw(R"({"__metadata__":{"a":1}})"), "\"__metadata__\": a number stands where none may be"},
      {raw(R"({"__metadata__":{"a":"1","a":"2"}})"), "the key \"a\" comes twice"},
      {raw(R"({"__metadata__":{"a":{}}})"), "\"__metadata__\": an object stands where none"},
      {raw(R"({"__metadata__":{"a":["b"]}})"), "\"__metadata__\": a list stands where none"},
      {raw(R"({"__metadata__":"a"})"), "\"__metadata__\": a text stands where none may be"},
      {raw(R"({"__metadata__":{},"__metadata__":{}})"), "\"__metadata__\" comes twice"},
      {raw("{\"" + std::string(200, 'n') + "\":1}"), "nnn...\": a number stands"},
      {raw("{\"n" + repeated("\u00e4", 100) + "\":1}"), "\u00e4...\": a number stands"},
      {raw("{\"\\u0007\\n\":1}"), "\"??\": a number stands where none may be"},
  };
}

std::vector<Malformed> bad_values() {
  return {
      {one("F8", "[1]", "[0,1]", 1), "\"x\": the dtype \"F8\" is not known"},
      {one("u8", "[1]", "[0,1]", 1), "\"x\": the dtype \"u8\" is not known"},
      {one("U8", "4", "[0,4]", 4), "\"x\": a number stands where none may be"},
      {one("U8", "\"4\"", "[0,4]", 4), "\"x\": a text stands where none may be"},
      {one("U8", "[[4]]", "[0,4]", 4), "\"x\": a list stands where none may be"},
      {one("U8", "[-4]", "[0,4]", 4), "\"x\": a negative number"},
      {one("U8", "[4.0]", "[0,4]", 4), "\"x\": a number that is not natural"},
      {one("U8", "[1e1]", "[0,10]", 10), "\"x\": a number that is not natural"},
      {one("U8", "[9223372036854775808]", "[0,4]", 4), "\"x\": a number that passes 2^63 - 1"},
      {one("U8", "[36893488147419103232]", "[0,4]", 4), "\"x\": a number that is not natural"},
      {one("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]", 1), "\"x\": more than 8 dimensions"},
      {one("U8", "[4294967296,4294967296]", "[0,0]", 0), "\"x\": its shape has too many"},
      {one("F64", "[2305843009213693952]", "[0,0]", 0), "\"x\": its shape has too many elements"},
      {one("U8", "[0,4294967296,4294967296]", "[0,0]", 0), "\"x\": its shape has too many"},
      {one("U8", "[4]", "[0]", 4), "\"x\": data_offsets needs two numbers"},
      {one("U8", "[4]", "[0,4,4]", 4), "\"x\": data_offsets needs two numbers"},
      {one("U8", "[4]", "[4,0]", 4), "\"x\": data_offsets [4, 0] do not lie in the file's 4 bytes"},
      {one("U8", "[4]", "[0,4]", 3), "\"x\": data_offsets [0, 4] do not lie in the file's 3 bytes"},
      {one("F32", "[4]", "[0,4]", 4), "\"x\": data_offsets span 4 bytes, dtype and shape need 16"},
      {one("U8", "[]", "[0,0]", 0), "\"x\": data_offsets span 0 bytes, dtype and shape need 1"},
      {one("U8", "[4]", "[1,5]", 5), "\"x\": its data begin at 1, not where the data before end"},
      {two("[0,4]", "[2,6]", 6), "\"y\": its data begin at 2, not where the data before end: at 4"},
      {two("[0,4]", "[0,4]", 4), "its data begin at 0, not where the data before end: at 4"},
      {two("[5,9]", "[0,4]", 9), "\"x\": its data begin at 5, not where the data before end: at 4"},
      {two("[0,4]", "[4,8]", 9), "9 bytes of data, the tensors have 8"},
      {raw("{}", 1), "1 bytes of data, the tensors have 0"},
      {one("BOOL", "[1]", "[0,1]", 0) + "\x02", "\"x\": a bool is 0 or 1"},
  };
}

void expect_named(const std::vector<Malformed>& files) {
  for (const Malformed& file : files) {
    const std::string error =
        error_of<std::runtime_error>([&] { from_safetensors(file.bytes, "memory"); });
    EXPECT_EQ(error.rfind("memory: ", 0), 0u) << error;
    EXPECT_NE(error.find(file.error), std::string::npos) << error << "\nnot: " << file.error;
  }
}

TEST(Safetensors, MalformedFilesAreNamed) {
  expect_named(bad_frames());
  expect_named(bad_structures());
  expect_named(bad_values());
}

}  // namespace
}  // namespace levin
