// AdamW whose moments live in memory-mapped pages of a file, not on the heap: the idea of paged optimizers (Dettmers et al. 2023,
// section 3), which move optimizer state out when memory is short. There it is CUDA's unified memory; on a CPU,
// bitsandbytes falls back to ordinary memory. Here a budget says how much may be resident, and the least recently
// used pages are written back. Same numbers as AdamW, bit for bit. Linux.
#pragma once
#include <list>
#include <memory>

#include "train/optimizer.h"

namespace graft::train {

/// Zeros in a file without a name, mapped, in pieces that come and go.
class Pages {
 public:
  static constexpr std::size_t piece = std::size_t(1) << 20;  ///< bytes that come and go together

  /// Errors: FileError: the folder is not writable, or the disk has no space for it; ValueError: a budget below two pieces.
  Pages(const std::string& folder, std::size_t bytes, std::size_t budget);
  ~Pages();
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  /// The i-th piece, now the most recently used; others are written back until all fit into the budget.
  void* use(std::size_t i);

  /// What is where, in bytes. Resident is what the kernel has in memory now, file cache included (mincore).
  struct Usage {
    std::size_t total, budget, in_use, resident;
    std::size_t brought_in, written_back;  ///< so far
  };
  Usage usage() const;

 private:
  void write_back(std::size_t i);
  int file_ = -1;
  std::size_t bytes_, budget_;
  char* memory_ = nullptr;
  std::list<std::size_t> used_;  // most recent first
  std::map<std::size_t, std::list<std::size_t>::iterator> place_;
  std::size_t in_ = 0, out_ = 0;
  Registered booked_;
};

struct PagedOptions {
  std::string folder;                          ///< for the file; empty: the system's place for temporary files
  std::size_t budget = std::size_t(64) << 20;  ///< bytes of moments that may be resident
};

/// Errors of step(): as Pages; nothing has changed then.
class PagedAdamW : public AdamW {
 public:
  explicit PagedAdamW(std::vector<Group> groups, PagedOptions options = {});
  explicit PagedAdamW(NamedParams parameters, PagedOptions options = {})
      : PagedAdamW(std::vector<Group>{{std::move(parameters)}}, std::move(options)) {}
  Pages::Usage pages() const { return pages_->usage(); }

  std::map<std::string, Tensor> state() const override;
  void load(const std::map<std::string, Tensor>& state) override;

 protected:
  void update(const std::string& path, Tensor& w, const Tensor& g, real rate, bool decays) override;

 private:
  struct Region {
    std::size_t first;  ///< its first piece
    Shape shape;
    bool touched = false;
  };
  /// f(m, v, begin, count) for each piece of a region: half of it holds m, half v.
  template <class F>
  void each_piece(const Region& region, const F& f) const;
  std::map<std::string, Region> regions_;
  std::unique_ptr<Pages> pages_;
};

}  // namespace graft::train
