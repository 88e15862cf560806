// Every kind of malformed file; and a file with all kinds of values by another writer.
#include "formats/gguf.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "tests/fuzz/mutate.h"

namespace graft::formats {
namespace {

const nlohmann::json& fixture() {
  static const nlohmann::json all = fuzz::fixture("gguf.json");
  return all;
}
std::string scratch(const std::string& name) { return testing::TempDir() + "graft_" + name + ".gguf"; }

/// A word of the message for each file that is refused; all others are accepted.
const std::map<std::string, std::string> refused = {
    {"q_zero_dim", "size of 0"},
    {"bad_magic", "magic"},
    {"bad_v0", "version: 0"},
    {"bad_v1", "version: 1"},
    {"bad_v4", "version: 4"},
    {"bad_bigendian", "big-endian"},
    {"bad_truncated_header", "tensor count"},
    {"bad_kv_count_huge", "key count: 1152921504606846976"},
    {"bad_tensor_count_huge", "tensor count: 1152921504606846976"},
    {"bad_tensor_count_over", "tensor name"},
    {"bad_key_len_huge", "key: a text of 9223372036854775808"},
    {"bad_key_len_max", "key: a text of 18446744073709551615"},
    {"bad_string_len", "\"k\": a text of 4611686018427387904"},
    {"bad_array_len", "\"k\": an array of 2305843009213693952"},
    {"bad_array_len_wrap", "\"k\": an array of 4611686018427387904"},
    {"bad_nested_array", "\"k\": an array of arrays"},
    {"bad_kv_type", "\"k\": a value of type 13"},
    {"bad_kv_type_neg", "4294967295"},
    {"bad_array_elem_type", "type 77"},
    {"bad_bool_2", "\"k\": a bool of 2"},
    {"bad_dup_key", "\"general.architecture\": found twice"},
    {"bad_empty_key", "key: an empty name"},
    {"bad_dup_tensor", "tensor \"a\": found twice"},
    {"bad_align_0", "\"general.alignment\": 0"},
    {"bad_align_3", "\"general.alignment\": 3"},
    {"bad_align_2g", "\"general.alignment\": 2147483648"},
    {"bad_align_type", "\"general.alignment\": a value of type 10"},
    {"bad_ndims_5", "\"a\": 5 axes"},
    {"bad_ndims_0xffffffff", "\"a\": 4294967295 axes"},
    {"bad_ne_negative", "size of 18446744073709551608"},
    {"bad_ne_overflow", "63 bits"},
    {"bad_nbytes_overflow", "too many"},
    {"bad_pad_wrap", "too many"},
    {"bad_type_unknown", "type 99"},
    {"bad_type_removed_4", "type 4"},
    {"bad_type_neg", "type 4294967295"},
    {"bad_row_not_multiple", "rows of 33"},
    {"bad_offset_misaligned", "offset of 4, expected 0"},
    {"bad_offset_past_end", "offset of 64, expected 0"},
    {"bad_offset_wrap", "offset of 18446744073709551584"},
    {"bad_data_truncated", "\"a\": 32 bytes"},
    {"bad_overlap", "\"b\": an offset of 0, expected 32"},
    {"bad_gap", "\"b\": an offset of 64, expected 32"},
    {"bad_name_65", "65 bytes long"},
    {"own_name_64", "64 bytes long"},
    {"own_name_empty", "tensor name: an empty name"},
    {"own_name_nul", "NUL"},
    {"own_align_4", ": 4, expected"},
    {"own_align_128k", "131072"},
    {"own_ndims_0", "0 axes"},
    {"own_text_array_short", "an array of 5 items"},
    {"own_bool_array_2", "a bool of 2"},
    {"own_ends_in_value", "needs 8 bytes"},
};

TEST(Gguf, RefusesMalformedFiles) {
  std::set<std::string> left;
  for (const auto& [name, word] : refused) left.insert(name);
  for (const auto& row : fixture()["cases"]) {
    const std::string name = row["name"], path = scratch(name);
    std::ofstream(path, std::ios::binary) << fuzz::unpacked(row["bytes"]);
    const bool refuse = left.erase(name) != 0;
    EXPECT_EQ(row["accepts"].get<bool>(), !refuse) << name;
    try {
      const Gguf file(path);
      EXPECT_FALSE(refuse) << name << " is accepted";
    } catch (const FormatError& error) {
      const std::string what = error.what();
      EXPECT_TRUE(refuse) << what;
      EXPECT_EQ(what.rfind(path + ", byte ", 0), 0u) << what;
      if (refuse) { EXPECT_NE(what.find(refused.at(name)), std::string::npos) << name << ": " << what; }
    }
    std::remove(path.c_str());
  }
  EXPECT_EQ(left, std::set<std::string>{}) << "these have no fixture";
}

TEST(Gguf, ReadsEveryKindOfValue) {
  const std::string path = scratch("everything");
  std::ofstream(path, std::ios::binary) << fuzz::unpacked(fixture()["everything"]);
  const Gguf file(path);
  EXPECT_EQ(file.integer("u8"), 200);
  EXPECT_EQ(file.integer("i8"), -100);
  EXPECT_EQ(file.integer("u16"), 60000);
  EXPECT_EQ(file.integer("i16"), -30000);
  EXPECT_EQ(file.integer("u32"), 4000000000);
  EXPECT_EQ(file.integer("i32"), -2000000000);
  EXPECT_EQ(file.integer("i64"), -(INT64_C(1) << 62));
  EXPECT_EQ(std::get<std::uint64_t>(file.values().at("u64")), (UINT64_C(1) << 63) + 5);
  EXPECT_THROW(file.integer("u64"), FormatError);
  EXPECT_EQ(file.real("f32"), 0.1f);
  EXPECT_EQ(file.real("f64"), 0.1);
  EXPECT_TRUE(file.boolean("yes"));
  EXPECT_FALSE(file.boolean("no"));
  EXPECT_EQ(file.text("text"), "größe\n");
  EXPECT_EQ(file.texts("texts"), (std::vector<std::string>{"", "a", "Ġb"}));
  EXPECT_EQ(std::get<std::vector<double>>(file.values().at("reals")), (std::vector<double>{0.5, -1.5}));
  EXPECT_EQ(std::get<std::vector<bool>>(file.values().at("bools")), (std::vector<bool>{true, false, true}));
  EXPECT_EQ(file.integers("integers"), (std::vector<std::int64_t>{-1, 2}));
  EXPECT_EQ(file.integers("bytes"), (std::vector<std::int64_t>{1, 255}));
  EXPECT_THROW(file.integers("wide"), FormatError);
  EXPECT_EQ(file.integer("none", 7), 7);
  EXPECT_EQ(file.integer("u8", 7), 200);
  EXPECT_THROW(file.integer("text", 7), FormatError);
  try {
    file.real("u8");
    ADD_FAILURE();
  } catch (const FormatError& error) { EXPECT_EQ(error.what(), path + ": key \"u8\" is an integer, expected a real number"); }
  EXPECT_THROW(file.text("none"), FormatError);

  const GgufTensor& first = *file.find("first");
  EXPECT_EQ(first.shape, (std::vector<std::int64_t>{2, 3}));
  float numbers[6];
  ASSERT_EQ(first.bytes, sizeof numbers);
  std::memcpy(numbers, first.data, sizeof numbers);
  EXPECT_EQ(numbers[5], 5.0f);
  const GgufTensor& second = *file.find("second");
  EXPECT_EQ(second.shape, (std::vector<std::int64_t>{1, 2, 32}));
  EXPECT_STREQ(gguf_type_name(second.type), "F16");
  EXPECT_EQ(second.data[2 * 63] | second.data[2 * 63 + 1] << 8, 0x53e0);  // 63
  std::remove(path.c_str());
}

/// A file with a hole in it has any size and costs nothing; what would be kept in memory must end within the first 2^28 bytes.
TEST(Gguf, BoundsMemoryForFilesOfAnySize) {
  const std::string path = scratch("hole");
  const auto reject = [&](const std::string& word) {
    std::filesystem::resize_file(path, std::uintmax_t{1} << 32);
    try {
      const Gguf file(path);
      ADD_FAILURE() << word;
    } catch (const FormatError& error) {
      const std::string what = error.what();
      EXPECT_NE(what.find(word), std::string::npos) << what;
      EXPECT_NE(what.find("of the beginning of the file"), std::string::npos) << what;
    }
  };
  const std::uint64_t counts[] = {0, 1}, length = 1, many = std::uint64_t{1} << 29;
  const std::uint32_t magic = 0x46554747, version = 3, array = 9, bytes = 0, text = 8;
  std::string file;
  const auto put = [&](const auto& x) { file.append(reinterpret_cast<const char*>(&x), sizeof x); };
  put(magic), put(version), put(counts), put(length), file += 'k';
  const std::string opening = file;
  put(array), put(bytes), put(many);
  std::ofstream(path, std::ios::binary) << file;
  reject("\"k\": an array of 536870912 items");
  file = opening;
  put(text), put(many);
  std::ofstream(path, std::ios::binary) << file;
  reject("\"k\": a text of 536870912 bytes");
  std::remove(path.c_str());
}

/// A tensor of one block of each type, and 4 bytes of padding missing, tell the block's size.
TEST(Gguf, KnowsTheBlocks) {
  const std::string path = scratch("block");
  for (const auto& row : fixture()["blocks"]) {
    const std::uint32_t type = row[0];
    const std::string name = row[1];
    if (name == "Q8_1") {  // see formats/gguf_types.cpp
      EXPECT_EQ(gguf_type_name(type), nullptr);
      continue;
    }
    ASSERT_NE(gguf_type_name(type), nullptr) << name;
    EXPECT_EQ(gguf_type_name(type), name);
    const std::uint64_t head[] = {1, 0, 1}, sizes[] = {row[2].get<std::uint64_t>()}, offset = 0;
    const std::uint32_t magic = 0x46554747, version = 3, axes = 1;
    std::string file;
    const auto put = [&](const auto& x) { file.append(reinterpret_cast<const char*>(&x), sizeof x); };
    put(magic), put(version), put(head), file += 'a', put(axes), put(sizes), put(type), put(offset);
    file.resize((file.size() + 31) / 32 * 32 + row[3].get<std::size_t>());
    std::ofstream(path, std::ios::binary) << file;
    EXPECT_EQ(Gguf(path).find("a")->bytes, row[3].get<std::size_t>()) << name;
    file.pop_back();
    std::ofstream(path, std::ios::binary) << file;
    EXPECT_THROW(Gguf{path}, FormatError) << name;
  }
  for (const std::uint32_t unknown : {4u, 5u, 31u, 36u, 42u, 4294967295u}) EXPECT_EQ(gguf_type_name(unknown), nullptr);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace graft::formats
