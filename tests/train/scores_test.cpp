// BLEU against sacrebleu, confusions against scikit-learn, event files against tensorboardX (tests/fixtures/scores.json, made by
// make_scores.py).
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/errors.h"
#include "formats/file.h"
#include "tests/formats/scratch_folder.h"
#include "tests/here.h"
#include "train/bleu.h"
#include "train/confusion.h"
#include "train/events.h"

namespace graft::train {
namespace {

const nlohmann::json& reference() {
  static const nlohmann::json all = [] {
    std::ifstream in(here::fixtures() + "/scores.json");
    return nlohmann::json::parse(in);
  }();
  return all;
}

TEST(Bleu, IsThatOfSacrebleu) {
  ASSERT_EQ(reference()["bleu"].size(), 12u);
  for (const auto& one : reference()["bleu"])
    EXPECT_NEAR(bleu(one["answers"], one["references"]), one["score"].get<double>(), 1e-9) << one;
  EXPECT_NEAR(bleu({"a b c d e"}, {"a b c d e"}), 100, 1e-9);
  EXPECT_EQ(bleu({""}, {"a b c d"}), 0);
  EXPECT_EQ(bleu({"x y z u v"}, {"a b c d e"}), 0);  // sacrebleu smooths only where some word is right
  EXPECT_THROW(bleu({}, {}), ValueError);
  EXPECT_THROW(bleu({"a"}, {"a", "b"}), ValueError);
}

TEST(Confusion, CountsAreThoseOfScikitLearn) {
  for (const auto& one : reference()["classes"]) {
    std::vector<std::string> labels;
    for (int l = 0; l < one["labels"].get<int>(); ++l) labels.push_back("label " + std::to_string(l));
    const Confusion confusion(one["right"], one["said"], labels);
    EXPECT_NEAR(confusion.accuracy(), one["accuracy"].get<double>(), 1e-12);
    EXPECT_NEAR(confusion.macro_f1(), one["f1"].get<double>(), 1e-12);
    double most = 0;
    for (std::size_t r = 0; r < labels.size(); ++r) {
      double row = 0;
      for (std::size_t p = 0; p < labels.size(); ++p) {
        EXPECT_EQ(confusion.count(static_cast<Index>(r), static_cast<Index>(p)), one["confusion"][r][p].get<Index>());
        row += one["confusion"][r][p].get<double>();
      }
      most = std::max(most, row / static_cast<double>(one["right"].size()));
    }
    EXPECT_NEAR(confusion.majority(), most, 1e-12);
    EXPECT_NE(confusion.table().find("label 1"), std::string::npos);
  }
  EXPECT_THROW(Confusion({0}, {2}, {"a", "b"}), IndexError);
  EXPECT_THROW(Confusion({}, {}, {"a"}), ValueError);
}

TEST(Events, AreByteForByteThoseOfTensorboardX) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);  // the check value of CRC-32C
  const auto& wanted = reference()["events"];
  formats::ScratchFolder scratch;
  const std::string path = scratch.path("events.out.tfevents.1");
  {
    EventFile file(path, 1.5);
    for (const auto& s : wanted["scalars"]) file.scalar(s[0], s[1], s[2], s[3]);
  }
  std::string hex;
  for (const char byte : formats::read_text(path)) {
    constexpr const char* digits = "0123456789abcdef";
    hex += digits[static_cast<unsigned char>(byte) >> 4], hex += digits[byte & 15];
  }
  EXPECT_EQ(hex, wanted["bytes"].get<std::string>());
  EXPECT_THROW(EventFile("/nowhere/at/all", 0), FileError);
}

}  // namespace
}  // namespace graft::train
