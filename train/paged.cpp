#include "train/paged.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "autograd/kernels.h"

namespace graft::train {

// --- pages ---------------------------------------------------------------------------------------------------------------

Pages::Pages(const std::string& folder, std::size_t bytes, std::size_t budget)
    : bytes_((bytes + piece - 1) / piece * piece),
      budget_(budget) {
  expect<ValueError>(budget >= 2 * piece, "pages: a budget of ", budget, " bytes; at least ", 2 * piece, " are needed");
  std::error_code error;
  const std::filesystem::path where =
      folder.empty() ? std::filesystem::temp_directory_path(error) : std::filesystem::path(folder);
  std::string name = (where / "graft-pages.XXXXXX").string();
  file_ = ::mkstemp(name.data());
  expect<FileError>(file_ >= 0, "pages: cannot make a file in ", where.string(), ": ", std::strerror(errno));
  ::unlink(name.c_str());  // it disappears with the process, however that ends
  if (bytes_ == 0) return;
  // What cannot fit is not tried: it would fill the disk until it fails.
  const std::filesystem::space_info disk = std::filesystem::space(where, error);
  int failed = !error && bytes_ > disk.available ? ENOSPC : 0;
  if (failed == 0)
    failed = ::posix_fallocate(file_, 0, static_cast<off_t>(bytes_));  // now, not in the middle of a step
  if (failed == 0) {
    void* memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (memory == MAP_FAILED) failed = errno;
    else memory_ = static_cast<char*>(memory);
  }
  if (failed != 0) {
    ::close(file_);
    throw FileError(text("pages: ", where.string(), " has no space for ", bytes_, " bytes of moments: ", std::strerror(failed),
                         "; name another folder, or train fewer parameters"));
  }
  booked_ = Registered(Category::mapped, bytes_);
}

Pages::~Pages() {
  if (memory_) ::munmap(memory_, bytes_);
  if (file_ >= 0) ::close(file_);
}

void Pages::write_back(std::size_t i) {
  char* at = memory_ + i * piece;
  ::msync(at, piece, MS_SYNC);
  ::madvise(at, piece, MADV_DONTNEED);                                                // out of our memory ...
  ::posix_fadvise(file_, static_cast<off_t>(i * piece), piece, POSIX_FADV_DONTNEED);  // ... and out of the file cache
  out_ += piece;
}

void* Pages::use(std::size_t i) {
  const auto found = place_.find(i);
  if (found != place_.end()) {
    used_.splice(used_.begin(), used_, found->second);
    return memory_ + i * piece;
  }
  while ((used_.size() + 1) * piece > budget_) {
    write_back(used_.back());
    place_.erase(used_.back());
    used_.pop_back();
  }
  used_.push_front(i);
  place_[i] = used_.begin();
  in_ += piece;
  return memory_ + i * piece;
}

Pages::Usage Pages::usage() const {
  Usage l{bytes_, budget_, used_.size() * piece, 0, in_, out_};
  if (!memory_) return l;
  const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> there(bytes_ / page);
  if (::mincore(memory_, bytes_, there.data()) != 0) return l;
  for (const unsigned char c : there) l.resident += (c & 1U) ? page : 0;
  return l;
}

// --- the optimizer -------------------------------------------------------------------------------------------------------

namespace {
constexpr Index half = static_cast<Index>(Pages::piece / sizeof(real) / 2);  // numbers of m, or of v, in a piece
}

PagedAdamW::PagedAdamW(std::vector<Group> groups, PagedOptions options) : AdamW(std::move(groups)) {
  std::size_t pieces = 0;
  for (const Group& group : this->groups())
    for (const auto& named : group.parameters) {
      regions_[named.first] = {pieces, named.second->shape()};
      pieces += static_cast<std::size_t>((named.second->numel() + half - 1) / half);
    }
  pages_ = std::make_unique<Pages>(options.folder, pieces * Pages::piece, options.budget);
}

template <class F>
void PagedAdamW::each_piece(const Region& region, const F& f) const {
  std::size_t i = region.first;
  for (Index begin = 0; begin < region.shape.numel(); begin += half, ++i) {
    real* m = static_cast<real*>(pages_->use(i));
    f(m, m + half, begin, std::min(half, region.shape.numel() - begin));
  }
}

void PagedAdamW::update(const std::string& path, Tensor& w, const Tensor& g, real rate, bool decays) {
  Region& region = regions_.at(path);
  region.touched = true;
  const kernel::AdamStep a = at_step(rate, decays);
  real* to = w.write();
  each_piece(region,
             [&](real* m, real* v, Index begin, Index count) { kernel::adam(to + begin, g.data() + begin, m, v, count, a); });
}

std::map<std::string, Tensor> PagedAdamW::state() const {
  std::map<std::string, Tensor> all = AdamW::state();
  for (const auto& entry : regions_) {
    if (!entry.second.touched) continue;
    Tensor m(entry.second.shape), v(entry.second.shape);
    real *to_m = m.write(), *to_v = v.write();
    each_piece(entry.second, [&](const real* from_m, const real* from_v, Index begin, Index count) {
      std::copy_n(from_m, count, to_m + begin);
      std::copy_n(from_v, count, to_v + begin);
    });
    all[entry.first + ".exp_avg"] = m, all[entry.first + ".exp_avg_sq"] = v;
  }
  return all;
}

void PagedAdamW::load(const std::map<std::string, Tensor>& state) {
  check(state);
  restart(state);
  for (auto& entry : regions_) {
    const auto m = state.find(entry.first + ".exp_avg"), v = state.find(entry.first + ".exp_avg_sq");
    entry.second.touched = m != state.end() && v != state.end();
    each_piece(entry.second, [&](real* to_m, real* to_v, Index begin, Index count) {
      if (entry.second.touched) {
        std::copy_n(m->second.data() + begin, count, to_m);
        std::copy_n(v->second.data() + begin, count, to_v);
      } else {
        std::fill_n(to_m, count, real(0));
        std::fill_n(to_v, count, real(0));
      }
    });
  }
}

}  // namespace graft::train
