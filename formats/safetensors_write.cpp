// Writing safetensors: the header as the reference writes it (sorted by name, since all tensors have one dtype; padded with
// spaces to a multiple of 8), then the numbers, one buffer at a time.
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "autograd/errors.h"
#include "autograd/sizes.h"
#include "formats/inside/header.h"
#include "formats/inside/place.h"

namespace graft::formats {

namespace {

/// If v lies between two floats, the one whose last bit is odd: rounding it to fewer bits gives the same as rounding v, while
/// rounding v twice to nearest may not.
float to_odd(double v) {
  const auto near = static_cast<float>(v);
  std::uint32_t bits;
  std::memcpy(&bits, &near, sizeof bits);
  if (static_cast<double>(near) == v || v != v || (bits & 1) != 0) return near;
  // The next float towards v; away from zero is one more, for either sign.
  const bool outwards = v > 0 ? static_cast<double>(near) < v : static_cast<double>(near) > v;
  bits = outwards ? bits + 1 : bits - 1;
  float odd;
  std::memcpy(&odd, &bits, sizeof odd);
  return odd;
}

float number(const Numbers& tensor, std::int64_t i) { return tensor.data ? tensor.data[i] : to_odd(tensor.wide[i]); }

/// Calls store(first, count) for ranges of the numbers that fit a buffer.
template <class Store>
void by_stretches(std::int64_t numel, Store store) {
  constexpr std::int64_t most = 1 << 16;
  for (std::int64_t first = 0; first < numel; first += most) store(first, std::min(most, numel - first));
}

void write_numbers(AtomicFile& file, const Numbers& tensor, std::int64_t numel, Dtype as) {
  if (tensor.make && numel > 0) {
    const std::vector<float> made = tensor.make();
    expect<ValueError>(made.size() == static_cast<std::size_t>(numel), "write_safetensors: tensor ",
                       inside::Quoted{tensor.name}, " needs ", numel, " numbers for its shape, but make() gave ", made.size());
    return write_numbers(file, Numbers{tensor.name, tensor.shape, made.data()}, numel, as);
  }
  if (as == Dtype::F32 && tensor.data) return file.write(tensor.data, static_cast<std::size_t>(numel) * sizeof(float));
  std::vector<float> wide;
  std::vector<std::uint16_t> narrow;
  by_stretches(numel, [&](std::int64_t first, std::int64_t count) {
    const auto n = static_cast<std::size_t>(count);
    if (as == Dtype::F32) {
      wide.resize(n);
      for (std::int64_t i = 0; i < count; ++i) nth(wide, i) = static_cast<float>(tensor.wide[first + i]);
      return file.write(wide.data(), n * sizeof(float));
    }
    narrow.resize(n);
    for (std::int64_t i = 0; i < count; ++i) {
      const float x = number(tensor, first + i);
      nth(narrow, i) = as == Dtype::F16 ? to_half(x) : to_bfloat(x);
    }
    file.write(narrow.data(), n * sizeof(std::uint16_t));
  });
}

/// Text as a JSON string.
std::string quoted(const std::string& text, const std::string& path) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    throw ValueError(
        graft::text("write_safetensors: ", path, ": the name or piece of metadata ", inside::Quoted{text}, " is not UTF-8"));
  }
}

/// Checks that a tensor can be written, and returns how many numbers it holds.
std::int64_t checked(const Numbers& tensor, const std::string& path) {
  const auto check = [&](bool ok, const char* what) {
    if (!ok) throw ValueError(text("write_safetensors: ", path, ": tensor ", inside::Quoted{tensor.name}, ' ', what));
  };
  check(tensor.name != "__metadata__", "has the name of the metadata; choose another");
  check(tensor.shape.size() <= inside::most_axes, "has more than 8 axes");
  std::int64_t numel = 1;
  bool empty = false;
  for (const std::int64_t size : tensor.shape) {
    check(size >= 0, "has a negative size");
    empty = empty || size == 0;
    check(size == 0 || !__builtin_mul_overflow(numel, size, &numel), "has sizes whose product does not fit 63 bits");
  }
  check(empty || numel <= INT64_MAX / 8, "is too large for any file");
  const int sources = (tensor.data != nullptr) + (tensor.wide != nullptr) + (tensor.make != nullptr);
  check(empty || sources == 1, "needs its numbers in exactly one of data, wide and make");
  return empty ? 0 : numel;
}

std::string header_of(const std::vector<const Numbers*>& tensors, const std::vector<std::int64_t>& numels, Dtype as,
                      const std::map<std::string, std::string>& metadata, const std::string& path) {
  std::string header = "{", comma;
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      header += comma + quoted(key, path) + ':' + quoted(value, path);
      comma = ",";
    }
    header += '}';
  }
  const auto each = static_cast<std::uint64_t>(bits(as) / 8);
  std::uint64_t begin = 0, end = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i, begin = end) {
    expect<ValueError>(!__builtin_add_overflow(begin, static_cast<std::uint64_t>(numels[i]) * each, &end),
                       "write_safetensors: ", path, ": the tensors are too large for any file");
    header += comma + quoted(tensors[i]->name, path) + text(":{\"dtype\":\"", name(as), "\",\"shape\":[");
    comma.clear();
    for (const std::int64_t size : tensors[i]->shape) {
      header += comma + std::to_string(size);
      comma = ",";
    }
    header += text("],\"data_offsets\":[", begin, ',', end, "]}");
    comma = ",";
  }
  header += '}';
  header.append((8 - header.size() % 8) % 8, ' ');
  expect<ValueError>(header.size() <= inside::most_header_bytes && tensors.size() <= inside::most_tensors,
                     "write_safetensors: ", path, ": ", tensors.size(), " tensors, with a header of ", header.size(),
                     " bytes, are more than readers accept");
  return header;
}

}  // namespace

void write_safetensors(const std::string& path, const std::vector<Numbers>& tensors, Dtype as,
                       const std::map<std::string, std::string>& metadata) {
  expect<ValueError>(as == Dtype::F32 || as == Dtype::F16 || as == Dtype::BF16, "write_safetensors: ", path,
                     ": numbers cannot be ", "stored as ", name(as), "; choose F32, F16 or BF16");
  std::vector<const Numbers*> order;
  for (const Numbers& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const Numbers* a, const Numbers* b) { return a->name < b->name; });
  std::vector<std::int64_t> numels;
  for (std::size_t i = 0; i < order.size(); ++i) {
    numels.push_back(checked(*order[i], path));
    expect<ValueError>(i == 0 || order[i - 1]->name != order[i]->name, "write_safetensors: ", path, ": two tensors are named ",
                       inside::Quoted{order[i]->name});
  }
  const std::string header = header_of(order, numels, as, metadata, path);

  AtomicFile file(path);
  const std::uint64_t length = header.size();
  file.write(&length, sizeof length);
  file.write(header);
  for (std::size_t i = 0; i < order.size(); ++i) write_numbers(file, *order[i], numels[i], as);
  file.commit();
}

}  // namespace graft::formats
