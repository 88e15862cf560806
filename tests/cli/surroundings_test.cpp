// What may be around a training: a pipe, a terminal, a full disk, a folder that cannot be written to, data that changed.
#include <nlohmann/json.hpp>

#include "tests/cli/models.h"

namespace graft::testing {
namespace {

class Surroundings : public ::testing::Test {
 protected:
  Surroundings() {
    std::string lines;
    for (int i = 0; i < 12; ++i) lines += "{\"prompt\": \"the cat\", \"completion\": \" sat on the mat\"}\n";
    write_file(folder / "pairs.jsonl", lines);
  }
  Arguments tune(const std::string& out, const Arguments& more = {}) {
    Arguments all{"--threads", "1", "tune",    "--model", tiny(), "--data", folder / "pairs.jsonl",
                  "--out",     out, "--batch", "2",       "--r",  "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  bool same(const std::string& file, const fs::path& a, const fs::path& b) {
    return read_file(a / file) == read_file(b / file) && !read_file(a / file).empty();
  }
  TemporaryFolder folder;
};

TEST_F(Surroundings, IntoAPipeGoPlainLines) {
  const Result r = graft(tune(folder / "out", {"--steps", "20"}));
  expect_works(r);
  EXPECT_EQ(r.err.find_first_of("\r\x1b"), std::string::npos) << r;
  EXPECT_NE(r.err.find("\nstep 20/20  loss "), std::string::npos) << r;
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 2 + 11) << r;  // two that describe, the first step, each tenth
  EXPECT_NE(r.out.find("adapter  "), std::string::npos) << r;
}

TEST_F(Surroundings, OnATerminalALineIsWrittenOver) {
  if (shell("command -v script").code != 0) GTEST_SKIP() << "there is no script(1) to make a terminal";
  const Result r = shell("script -qec \"$graft" + quoted(tune(folder / "out", {"--steps", "20"})) + "\" /dev/null");
  expect_works(r);
  EXPECT_NE(r.out.find("\rstep 20/20"), std::string::npos) << r;
  EXPECT_NE(r.out.find("\x1b[K"), std::string::npos) << r;
}

TEST_F(Surroundings, AnOutputThatCannotBeWrittenIsAnErrorAndTheAdapterIsThere) {
  const Result r = graft(tune(folder / "out", {"--steps", "2"}), {"", {}, {}, "/dev/full"});
  EXPECT_EQ(r.code, 1) << r;
  EXPECT_NE(r.err.find("could not write the output"), std::string::npos) << r;
  EXPECT_TRUE(fs::exists(folder / "out" / "adapter_model.safetensors"));
}

TEST_F(Surroundings, WithoutAHome) {
  expect_works(graft(tune(folder / "out", {"--steps", "2"}), {"", {}, {"HOME", "XDG_CACHE_HOME"}, ""}));
}

TEST_F(Surroundings, AFolderThatCannotBeWrittenTo) {  // /proc is that for root, too
  expect_fails(graft(tune("/proc/graft", {"--quiet"})), "--out: cannot make the folder /proc/graft");
  expect_fails(graft({"--quiet", "compare", "--model", tiny(), "--data", folder / "pairs.jsonl", "--methods", "lora,prompt",
                      "--out", "/proc/graft"}),
               "/proc/graft");
  expect_fails(graft({"--quiet", "demo", "--out", "/proc/graft"}, {"", {}, {"HOME", "XDG_CACHE_HOME"}, ""}), "/proc/graft");
}

TEST_F(Surroundings, ADiskThatGetsFullLosesNothing) {
  const Arguments more{"--quiet", "--steps", "400", "--save-every", "10", "--evaluate-every", "20"};
  expect_works(graft(tune(folder / "whole", more)));
  std::uintmax_t needed = 0, largest = 0;  // in whole pages, as a tmpfs has it
  for (const auto& entry : fs::directory_iterator(folder / "whole")) {
    const std::uintmax_t pages = (entry.file_size() + 4095) / 4096 * 4096;
    needed += pages, largest = std::max(largest, pages);
  }
  // A disk of its own in a user namespace, with room for the run and for what is written beside an old file; half of that is
  // taken by something else until the run has failed.
  const std::uintmax_t size = needed + 3 * largest;
  const std::string small = folder / "small", other = "'" + small + "/other'", run = small + "/run";
  fs::create_directory(small);
  const std::string mount = "mount -t tmpfs -o size=" + std::to_string(size) + " none '" + small + "'";
  if (shell("unshare -rm " + mount).code != 0) GTEST_SKIP() << "no user namespaces here; AFullDiskLosesNothing has another way";
  write_file(folder / "script", mount + " || exit 1\nhead -c " + std::to_string(size - needed / 2) + " /dev/zero > " + other +
                                    "\n\"$graft\"" + quoted(tune(run, more)) + " 2> '" + small +
                                    ".err'\necho \"code $?\"\nrm " + other +
                                    "\n\"$graft\" --quiet --threads 1 tune --resume '" + run + "' || exit 1\ncp -r '" + run +
                                    "' '" + (folder / "kept").string() + "'\n");
  const Result r = shell("unshare -rm sh '" + (folder / "script").string() + "'");
  expect_works(r);
  EXPECT_EQ(r.out, "code 1\n") << r;
  const std::string said = read_file(small + ".err");
  EXPECT_NE(said.find(run + "/"), std::string::npos) << said;  // which file
  for (const char* file : {"adapter_model.safetensors", "adapter_config.json", "checkpoint.safetensors"})
    EXPECT_TRUE(same(file, folder / "whole", folder / "kept")) << file;
}

TEST_F(Surroundings, OtherDataThanItBeganWithAreNotGoneOnWith) {
  expect_works(graft(tune(folder / "out", {"--steps", "2"})));
  const std::string before = read_file(folder / "out" / "adapter_model.safetensors");
  write_file(folder / "pairs.jsonl",
             "{\"prompt\": \"the rat\", \"completion\": \" sat\"}\n{\"prompt\": \"a\", \"completion\": \"b\"}\n");
  expect_fails(graft({"--quiet", "--threads", "1", "tune", "--resume", folder / "out"}),
               "has changed since the run began");
  EXPECT_EQ(read_file(folder / "out" / "adapter_model.safetensors"), before);
}

TEST_F(Surroundings, AForcedRunThatIsWrongLeavesTheOldOne) {
  expect_works(graft(tune(folder / "out", {"--steps", "2"})));
  expect_fails(graft(tune(folder / "out", {"--quiet", "--force", "--targets", "query"})), "query");
  EXPECT_TRUE(fs::exists(folder / "out" / "adapter_model.safetensors"));
}

}  // namespace
}  // namespace graft::testing
