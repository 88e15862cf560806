// Every kind of malformed file, judged beside the reference implementation; and files written, compared with its writer's.
#include "formats/safetensors.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/fuzz/mutate.h"

namespace graft::formats {
namespace {

const nlohmann::json& fixture() {
  static const nlohmann::json all = fuzz::fixture("safetensors.json");
  return all;
}
std::string scratch(const std::string& name) { return testing::TempDir() + "graft_" + name + ".safetensors"; }

/// A word of the message for each file that is refused; all others are accepted.
const std::map<std::string, std::string> refused = {
    {"q_trailing_nul_pad", "NUL"},
    {"q_dup_name", "\"a\" twice"},
    {"q_dup_name_disjoint", "\"a\" twice"},
    {"q_dup_field", "\"dtype\" twice"},
    {"q_dup_metadata", "__metadata__"},
    {"bad_empty_file", "0 bytes"},
    {"bad_7_bytes", "7 bytes"},
    {"bad_n_zero", "JSON"},
    {"bad_n_gt_file", "1000000"},
    {"bad_n_u64max", "18446744073709551615"},
    {"bad_n_100MB_plus1", "100000001"},
    {"bad_not_json", "JSON"},
    {"bad_array_root", "object"},
    {"bad_bom", "byte-order mark"},
    {"bad_utf8", "UTF-8"},
    {"bad_two_json_docs", "JSON"},
    {"bad_overlap", "\"b\": data_offsets begin at 4, expected 8"},
    {"bad_alias_same_range", "overlap"},
    {"bad_gap", "\"b\": data_offsets begin at 12, expected 8"},
    {"bad_start_not_zero", "\"a\": data_offsets begin at 4, expected 0"},
    {"bad_trailing_data", "1 more bytes"},
    {"bad_truncated_data", "\"a\": data_offsets end at 8, but the file has only 7"},
    {"bad_offsets_reversed", "\"a\": data_offsets [8, 0]"},
    {"bad_size_mismatch", "\"a\": data_offsets [0, 8] hold 8 bytes, but dtype and shape need 12"},
    {"bad_shape_overflow", "63 bits"},
    {"bad_shape_overflow2", "too many"},
    {"bad_shape_wrap_to_8", "too many"},
    {"bad_negative_shape", "negative"},
    {"bad_float_shape", "2.0"},
    {"bad_exp_shape", "2e0"},
    {"bad_string_shape", "shape"},
    {"bad_offset_u64plus", "18446744073709551624"},
    {"bad_three_offsets", "data_offsets"},
    {"bad_unknown_dtype", "\"F33\""},
    {"bad_lower_dtype", "\"f32\""},
    {"bad_missing_dtype", "\"dtype\""},
    {"bad_metadata_nonstring", "\"x\""},
    {"bad_metadata_nested", "\"x\""},
    {"bad_null_tensor", "\"a\": found null"},
    {"bad_deep_nesting", "\"a\""},
    {"bad_f4_odd", "12 bits"},
    {"bad_trailing_comma", "JSON"},
    {"bad_lone_surrogate", "surrogate"},
    {"bad_comment", "JSON"},
    {"bad_single_quotes", "JSON"},
    {"bad_control_char_in_name", "control character"},
    {"bad_rank_1e5_zero", "more than 8 sizes"},
    {"own_rank_9", "more than 8 sizes"},
    {"own_zero_last", "63 bits"},
    {"own_zero_first", "63 bits"},
    {"own_size_2_63", "2^63"},
    {"own_dup_note", "\"x\" twice"},
    {"own_dup_in_extra_field", "\"y\" twice"},
    {"own_extra_field_deep", "more than 16"},
    {"own_tensor_as_array", "expected a tensor as an object"},
    {"own_minus_zero", "data_offsets"},
    {"own_leading_zero", "JSON"},
    {"own_one_offset", "data_offsets"},
    {"own_nested_shape", "shape"},
    {"own_low_surrogate", "surrogate"},
    {"own_overlong_utf8", "UTF-8"},
    {"own_unclosed", "JSON"},
    {"own_zero_size_inside_another", "\"b\": data_offsets begin at 4"},
};
/// Where we refuse what the reference takes; the header says why.
const std::set<std::string> stricter = {"q_dup_name",         "own_dup_note",  "bad_rank_1e5_zero",      "own_rank_9",
                                        "own_zero_first",     "own_size_2_63", "own_dup_in_extra_field", "own_extra_field_deep",
                                        "own_tensor_as_array"};

TEST(Safetensors, JudgesAsTheReferenceDoes) {
  std::set<std::string> left;
  for (const auto& [name, word] : refused) left.insert(name);
  for (const auto& row : fixture()["cases"]) {
    const std::string name = row["name"], path = scratch(name);
    std::ofstream(path, std::ios::binary) << fuzz::unpacked(row["bytes"]);
    const bool refuse = left.erase(name) != 0;
    EXPECT_EQ(row["accepts"].get<bool>(), !refuse || stricter.count(name) != 0)
        << name << ": the reference says " << row["says"];
    try {
      const Safetensors file(path);
      EXPECT_FALSE(refuse) << name << " is accepted";
      nlohmann::json tensors = nlohmann::json::array();
      for (const auto& [key, tensor] : file.tensors())
        tensors.push_back({key, formats::name(tensor.dtype), tensor.shape, tensor.bytes});
      EXPECT_EQ(tensors, row["says"]) << name;
    } catch (const FormatError& error) {
      const std::string what = error.what();
      EXPECT_TRUE(refuse) << what;
      EXPECT_EQ(what.rfind(path + ", byte ", 0), 0u) << what;
      if (refuse) { EXPECT_NE(what.find(refused.at(name)), std::string::npos) << name << ": " << what; }
      EXPECT_LT(what.size(), 500u + path.size()) << what;
    }
    std::remove(path.c_str());
  }
  EXPECT_EQ(left, std::set<std::string>{}) << "these have no fixture";
}

TEST(Safetensors, ReadsNumbersAtOddBytes) {
  const std::string path = scratch("odd");
  for (const auto& row : fixture()["cases"])
    if (row["name"] == "ok_misaligned_f32") std::ofstream(path, std::ios::binary) << fuzz::unpacked(row["bytes"]);
  const Safetensors file(path);
  float numbers[2];
  read_numbers(*file.find("b"), numbers, path);
  EXPECT_EQ(numbers[0], 1.5f);
  EXPECT_EQ(numbers[1], -2.25f);
  EXPECT_THROW(read_numbers(*file.find("a"), numbers, path), FormatError);
  EXPECT_EQ(file.find("c"), nullptr);
  std::remove(path.c_str());
}

TEST(Safetensors, WritesTheBytesThatTheReferenceWrites) {
  const std::map<std::string, Dtype> dtypes = {
      {"torch.float32", Dtype::F32}, {"torch.float16", Dtype::F16}, {"torch.bfloat16", Dtype::BF16}};
  for (const auto& row : fixture()["written"])
    for (const bool wide : {false, true}) {
      std::vector<std::vector<float>> data;
      std::vector<std::vector<double>> doubles;
      std::vector<Numbers> tensors;
      for (const auto& [name, tensor] : row["numbers"].items()) {
        std::vector<float> values;
        for (const std::int32_t bits : tensor["bits"]) {
          float value;
          std::memcpy(&value, &bits, sizeof value);
          values.push_back(value);
        }
        doubles.emplace_back(values.begin(), values.end());
        data.push_back(values);
        tensors.push_back({name, tensor["shape"], wide ? nullptr : data.back().data(), wide ? doubles.back().data() : nullptr});
      }
      const std::string path = scratch("written");
      write_safetensors(path, tensors, dtypes.at(row["dtype"]));
      EXPECT_EQ(read_text(path), fuzz::unpacked(row["bytes"])) << row["dtype"] << " wide " << wide;
      const Safetensors file(path);
      EXPECT_EQ(file.metadata().at("format"), "pt");
      std::vector<double> back(24);
      read_numbers(file.tensors().begin()->second, back.data(), path);
      std::remove(path.c_str());
    }
}

TEST(Safetensors, RoundsADoubleOnce) {
  // Just above the middle between two halves; as a float it would be the middle, and go down to the even one.
  const double values[] = {1 + 0x1p-11 + 0x1p-40, -(1 + 0x1p-11 + 0x1p-40), 1 + 0x1p-11, 0x1p-25 + 0x1p-60};
  const std::string path = scratch("once");
  write_safetensors(path, {{"a", {4}, nullptr, values}}, Dtype::F16);
  const Safetensors file(path);
  double back[4];
  read_numbers(*file.find("a"), back, path);
  EXPECT_EQ(back[0], 1 + 0x1p-10);
  EXPECT_EQ(back[1], -(1 + 0x1p-10));
  EXPECT_EQ(back[2], 1.0);
  EXPECT_EQ(back[3], 0x1p-24);
  std::remove(path.c_str());
}

TEST(Safetensors, RefusesToWriteWhatItWouldNotRead) {
  const float x = 1;
  const std::string path = scratch("refused");
  EXPECT_THROW(write_safetensors(path, {{"a", {1}, &x}, {"a", {1}, &x}}), ValueError);
  EXPECT_THROW(write_safetensors(path, {{"a", {1}, &x}}, Dtype::F64), ValueError);
  EXPECT_THROW(write_safetensors(path, {{"__metadata__", {1}, &x}}), ValueError);
  EXPECT_THROW(write_safetensors(path, {{"a", {-1}, &x}}), ValueError);
  EXPECT_THROW(write_safetensors(path, {{"a", {1}}}), ValueError);
  EXPECT_THROW(write_safetensors(path, {{"a", {1, 1, 1, 1, 1, 1, 1, 1, 1}, &x}}), ValueError);
  EXPECT_THROW(write_safetensors(path, {{"\xff", {1}, &x}}), ValueError);
  EXPECT_THROW(read_text(path), FileError) << "nothing was begun";
}

}  // namespace
}  // namespace graft::formats
