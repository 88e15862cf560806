// Files: what cannot be mapped, and that a file is replaced whole or not at all, also when the system refuses to write on.
#include "formats/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>

#include "autograd/errors.h"
#include "formats/safetensors.h"
#include "tests/formats/scratch_folder.h"

namespace graft::formats {
namespace {

using Names = std::set<std::string>;

void put(const std::string& path, const std::string& content) { std::ofstream(path, std::ios::binary) << content; }

/// The FileError that is thrown names the path and holds these words.
void refuses(const std::function<void()>& act, const std::string& path, const std::string& words) {
  try {
    act();
    ADD_FAILURE() << path << ": no FileError with " << words;
  } catch (const FileError& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find(path), std::string::npos) << what;
    EXPECT_NE(what.find(words), std::string::npos) << what;
  }
}

/// Files may not grow beyond so many bytes until the end of the scope; writing on gives EFBIG, as a full disk gives ENOSPC.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t most) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{most, old_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~SmallFiles() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, signal_);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;

 private:
  rlimit old_{};
  void (*signal_)(int);
};

/// Where we are, until the end of the scope.
class WorkingFolder {
 public:
  explicit WorkingFolder(const std::string& path) : old_(std::filesystem::current_path()) {
    std::filesystem::current_path(path);
  }
  ~WorkingFolder() { std::filesystem::current_path(old_); }
  WorkingFolder(const WorkingFolder&) = delete;
  WorkingFolder& operator=(const WorkingFolder&) = delete;

 private:
  std::filesystem::path old_;
};

mode_t mode_of(const std::string& path) {
  struct stat about {};
  EXPECT_EQ(::lstat(path.c_str(), &about), 0) << path;
  return about.st_mode & 07777;
}

TEST(MappedFile, HasTheBytesOfTheFile) {
  const ScratchFolder folder;
  const std::string path = folder.path("a"), content("a\0\xff\n", 4);
  put(path, content);
  const MappedFile file(path);
  EXPECT_EQ(file.path(), path);
  ASSERT_EQ(file.size(), 4u);
  EXPECT_EQ(std::memcmp(file.data(), content.data(), 4), 0);
  EXPECT_EQ(read_text(path), content);
}

TEST(MappedFile, CanForgetBytesAndReadThemAgain) {
  const ScratchFolder folder;
  std::string content(1 << 16, 'x');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 >> 3);
  put(folder.path("a"), content);
  const MappedFile file(folder.path("a"));
  for (const std::size_t first : {std::size_t{0}, std::size_t{1}, std::size_t{5000}, content.size()}) {
    file.forget(file.data() + first, content.size() - first);
    EXPECT_EQ(std::memcmp(file.data(), content.data(), content.size()), 0);
  }
}

TEST(MappedFile, TakesAnEmptyFile) {
  const ScratchFolder folder;
  put(folder.path("a"), "");
  const MappedFile file(folder.path("a"));
  EXPECT_EQ(file.data(), nullptr);
  EXPECT_EQ(file.size(), 0u);
  EXPECT_EQ(read_text(folder.path("a")), "");
}

TEST(MappedFile, RefusesWhatIsNoFile) {
  const ScratchFolder folder;
  refuses([&] { MappedFile{folder.path("none")}; }, folder.path("none"), std::strerror(ENOENT));
  refuses([&] { MappedFile{folder.path("none/deeper")}; }, folder.path("none/deeper"), std::strerror(ENOENT));
  refuses([&] { MappedFile{folder.path()}; }, folder.path(), "it is a folder; name a file in it");
  refuses([&] { read_text(folder.path("none")); }, folder.path("none"), std::strerror(ENOENT));
  refuses([&] { read_text(folder.path()); }, folder.path(), "it is a folder");
  refuses([&] { MappedFile{"/dev/null"}; }, "/dev/null", "not a regular file");
  ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
  refuses([&] { MappedFile{folder.path("pipe")}; }, folder.path("pipe"), "not a regular file");
}

TEST(MappedFile, RefusesWhatMayNotBeRead) {
  const ScratchFolder folder;
  const std::string path = folder.path("a");
  put(path, "a");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  const uid_t user = ::geteuid();
  if (user == 0) {  // root may read everything, so be nobody for a moment
    ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
    if (::seteuid(65534) != 0) GTEST_SKIP() << "root, and cannot be another";
  }
  refuses([&] { MappedFile{path}; }, path, std::strerror(EACCES));
  refuses([&] { read_text(path); }, path, std::strerror(EACCES));
  if (user == 0) { ASSERT_EQ(::seteuid(0), 0); }
}

TEST(AtomicFile, ReplacesTheWholeFileAtOnce) {
  const ScratchFolder folder;
  const std::string path = folder.path("a");
  put(path, "a longer text before");
  const MappedFile before(path);
  AtomicFile file(path);
  file.write("new", 3);
  file.write(std::string(" text"));
  file.write(nullptr, 0);
  EXPECT_EQ(read_text(path), "a longer text before") << "not yet committed";
  file.commit();
  EXPECT_EQ(read_text(path), "new text");
  EXPECT_EQ(folder.names(), Names{"a"});
  EXPECT_EQ(std::memcmp(before.data(), "a longer", 8), 0) << "who had mapped the old file keeps it";
  refuses([&] { file.write("x", 1); }, path, "committed");
  refuses([&] { file.commit(); }, path, "committed");
  EXPECT_EQ(read_text(path), "new text");
}

TEST(AtomicFile, LeavesTheOldFileWithoutCommit) {
  const ScratchFolder folder;
  put(folder.path("a"), "old");
  {
    AtomicFile old(folder.path("a")), fresh(folder.path("b"));
    old.write("half of");
    fresh.write("half of");
    EXPECT_EQ(folder.names().size(), 3u) << "a and two temporary files";
  }
  EXPECT_EQ(folder.names(), Names{"a"});
  EXPECT_EQ(read_text(folder.path("a")), "old");
}

TEST(AtomicFile, LeavesTheOldFileWhenWritingFails) {
  const ScratchFolder folder;
  const std::string path = folder.path("a");
  put(path, "old");
  AtomicFile file(path);
  file.write("first");
  {
    const SmallFiles limit(4096);
    refuses([&] { file.write(std::string(10000, 'x')); }, path, std::strerror(EFBIG));
  }
  EXPECT_EQ(folder.names(), Names{"a"}) << "the temporary file goes at once";
  refuses([&] { file.write("more"); }, path, "an earlier write failed");
  refuses([&] { file.commit(); }, path, "an earlier write failed");
  EXPECT_EQ(read_text(path), "old");
}

TEST(AtomicFile, LeavesNothingOfAModelThatDoesNotFit) {
  const ScratchFolder folder;
  const std::vector<float> numbers(5000, 1.0f);
  const std::vector<Numbers> tensors = {{"a", {5000}, numbers.data()}};
  for (const std::string old : {"", "old"}) {
    if (!old.empty()) put(folder.path("m"), old);
    {
      const SmallFiles limit(4096);
      refuses([&] { write_safetensors(folder.path("m"), tensors); }, folder.path("m"), std::strerror(EFBIG));
      refuses([&] { write_text(folder.path("m"), std::string(5000, 'x')); }, folder.path("m"), std::strerror(EFBIG));
    }
    EXPECT_EQ(folder.names(), old.empty() ? Names{} : Names{"m"});
    if (!old.empty()) { EXPECT_EQ(read_text(folder.path("m")), old); }
  }
}

TEST(AtomicFile, TakesARelativePathAsItIsMeantAtFirst) {
  const ScratchFolder folder;
  const WorkingFolder back("/");  // where we are at the end
  std::filesystem::current_path(folder.path());
  AtomicFile file("a");
  file.write("text");
  std::filesystem::current_path("/");
  file.commit();
  EXPECT_EQ(read_text(folder.path("a")), "text");
  EXPECT_EQ(folder.names(), Names{"a"});
}

TEST(AtomicFile, ReplacesWhatALinkPointsTo) {
  const ScratchFolder folder;
  std::filesystem::create_directory(folder.path("far"));
  put(folder.path("far/old"), "old");
  std::filesystem::create_symlink("far/second", folder.path("first"));
  std::filesystem::create_symlink("old", folder.path("far/second"));  // relative to the folder that it lies in
  std::filesystem::create_symlink("far/new", folder.path("dangling"));
  std::filesystem::create_symlink(folder.path("far/old"), folder.path("absolute"));
  write_text(folder.path("first"), "through two");
  EXPECT_EQ(read_text(folder.path("far/old")), "through two");
  write_text(folder.path("absolute"), "absolute");
  EXPECT_EQ(read_text(folder.path("far/old")), "absolute");
  write_text(folder.path("dangling"), "new");
  EXPECT_EQ(read_text(folder.path("far/new")), "new");
  for (const char* link : {"first", "far/second", "dangling", "absolute"})
    EXPECT_TRUE(std::filesystem::is_symlink(folder.path(link))) << link;
  EXPECT_EQ(folder.names(), (Names{"absolute", "dangling", "far", "first"}));

  std::filesystem::create_symlink("loop", folder.path("loop"));
  refuses([&] { AtomicFile{folder.path("loop")}; }, folder.path("loop"), std::strerror(ELOOP));
}

TEST(AtomicFile, KeepsPermissions) {
  const ScratchFolder folder;
  const mode_t mask = ::umask(027);
  write_text(folder.path("new"), "a");
  EXPECT_EQ(mode_of(folder.path("new")), 0640u) << "what the umask leaves of rw-rw-rw-";
  for (const mode_t mode : {0600u, 0666u, 0755u, 0444u}) {
    const std::string path = folder.path("a");
    std::filesystem::remove(path);
    put(path, "old");
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    write_text(path, "new");
    EXPECT_EQ(mode_of(path), mode);
    EXPECT_EQ(read_text(path), "new");
  }
  ::umask(mask);
}

TEST(AtomicFile, RefusesWhatItCannotReplace) {
  const ScratchFolder folder;
  refuses([&] { AtomicFile{folder.path("none/a")}; }, folder.path("none/a"),
          "the folder " + folder.path("none") + ": " + std::strerror(ENOENT));
  refuses([&] { AtomicFile{folder.path()}; }, folder.path(), "not a regular file");
  for (const char* path : {"", "/", ".", "..", "/tmp/", "/tmp/.."})
    refuses([&] { AtomicFile{path}; }, path, "it does not name a file");
  refuses([&] { AtomicFile{"/dev/full"}; }, "/dev/full", "not a regular file");
  put(folder.path("a"), "old");
  refuses([&] { AtomicFile{folder.path("a/b")}; }, folder.path("a/b"), std::strerror(ENOTDIR));
  const std::string longest(255, 'n'), longer(256, 'n');
  write_text(folder.path(longest), "a");
  EXPECT_EQ(read_text(folder.path(longest)), "a");
  refuses([&] { write_text(folder.path(longer), "a"); }, longer, std::strerror(ENAMETOOLONG));
  EXPECT_EQ(folder.names(), (Names{"a", longest}));
}

}  // namespace
}  // namespace graft::formats
