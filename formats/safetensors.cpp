#include "formats/safetensors.h"

#include <algorithm>

#include "formats/inside/header.h"
#include "formats/inside/place.h"

namespace graft::formats {

namespace {

using inside::Described;
using inside::need;
using inside::Position;
using inside::Quoted;

using Entry = std::pair<const std::string, Described>;

/// The bytes that dtype and shape require. Zeros are left out of the product, so that [0, 2^62, 2^62] is refused in any order
/// and no later product of some of the sizes can overflow.
std::uint64_t bytes_of(const Entry& entry, const Position& place) {
  const auto& [name, tensor] = entry;
  std::int64_t numel = 1;
  bool empty = false, fits = true;
  for (const std::int64_t size : tensor.shape)
    if (size == 0) empty = true;
    else fits = fits && !__builtin_mul_overflow(numel, size, &numel);
  need(fits, place, "tensor ", Quoted{name}, ": the product of the sizes in shape does not fit 63 bits");
  if (empty) return 0;
  std::uint64_t all_bits;
  need(!__builtin_mul_overflow(static_cast<std::uint64_t>(numel), static_cast<std::uint64_t>(bits(tensor.dtype)), &all_bits),
       place, "tensor ", Quoted{name}, ": shape holds ", numel, " numbers of ", formats::name(tensor.dtype),
       ": too many for any file");
  need(all_bits % 8 == 0, place, "tensor ", Quoted{name}, ": ", numel, " numbers of ", formats::name(tensor.dtype), " are ",
       all_bits, " bits, expected a multiple of 8");
  return all_bits / 8;
}

/// The tensors in the order of their bytes, which cover the numbers from the first to the last byte: no gap, no overlap.
std::vector<Entry*> tiled(inside::Header& header, const MappedFile& file) {
  std::vector<Entry*> order;
  order.reserve(header.tensors.size());
  for (Entry& entry : header.tensors) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(),
                   [](const Entry* a, const Entry* b) { return a->second.range < b->second.range; });

  const std::uint64_t size = file.size() - header.end;
  std::uint64_t covered = 0;
  for (const Entry* entry : order) {
    const auto& [name, tensor] = *entry;
    const std::uint64_t begin = tensor.range[0], end = tensor.range[1];
    const Position place{file.path(), tensor.at};
    need(begin <= end, place, "tensor ", Quoted{name}, ": data_offsets [", begin, ", ", end, "] run backwards");
    const std::uint64_t bytes = bytes_of(*entry, place);
    need(end - begin == bytes, place, "tensor ", Quoted{name}, ": data_offsets [", begin, ", ", end, "] hold ", end - begin,
         " bytes, but dtype and shape need ", bytes);
    need(begin == covered, place, "tensor ", Quoted{name}, ": data_offsets begin at ", begin, ", expected ", covered,
         begin < covered ? ", where the tensor before it ends: they overlap" : ": there is a gap before it");
    need(end <= size, place, "tensor ", Quoted{name}, ": data_offsets end at ", end, ", but the file has only ", size,
         " bytes of numbers; is it complete?");
    covered = end;
  }
  need(covered == size, Position{file.path(), header.end + covered}, "data_offsets: the tensors end here, but ", size - covered,
       " more bytes follow, expected none");
  return order;
}

}  // namespace

Safetensors::Safetensors(const std::string& path) : file_(std::make_shared<MappedFile>(path)) {
  inside::Header header = inside::read_header(*file_);
  for (Entry* entry : tiled(header, *file_)) {
    auto& [name, tensor] = *entry;
    tensors_.emplace(name,
                     TensorEntry{name, tensor.dtype, std::move(tensor.shape), file_->data() + header.end + tensor.range[0],
                                 static_cast<std::size_t>(tensor.range[1] - tensor.range[0])});
  }
  metadata_ = std::move(header.metadata);
}

const TensorEntry* Safetensors::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

std::int64_t TensorEntry::numel() const {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) product *= size;
  return product;
}

}  // namespace graft::formats
