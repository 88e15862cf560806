// The number types of safetensors, in the order of the enum.
#include <array>

#include "autograd/sizes.h"
#include "formats/safetensors.h"

namespace graft::formats {

namespace {

struct Row {
  Dtype dtype;
  const char* name;
  int bits;
};

constexpr std::array<Row, 22> table{{{Dtype::BOOL, "BOOL", 8},
                                     {Dtype::U8, "U8", 8},
                                     {Dtype::I8, "I8", 8},
                                     {Dtype::F8_E5M2, "F8_E5M2", 8},
                                     {Dtype::F8_E4M3, "F8_E4M3", 8},
                                     {Dtype::I16, "I16", 16},
                                     {Dtype::U16, "U16", 16},
                                     {Dtype::F16, "F16", 16},
                                     {Dtype::BF16, "BF16", 16},
                                     {Dtype::I32, "I32", 32},
                                     {Dtype::U32, "U32", 32},
                                     {Dtype::F32, "F32", 32},
                                     {Dtype::C64, "C64", 64},
                                     {Dtype::F64, "F64", 64},
                                     {Dtype::I64, "I64", 64},
                                     {Dtype::U64, "U64", 64},
                                     {Dtype::F4, "F4", 4},
                                     {Dtype::F6_E2M3, "F6_E2M3", 6},
                                     {Dtype::F6_E3M2, "F6_E3M2", 6},
                                     {Dtype::F8_E8M0, "F8_E8M0", 8},
                                     {Dtype::F8_E4M3FNUZ, "F8_E4M3FNUZ", 8},
                                     {Dtype::F8_E5M2FNUZ, "F8_E5M2FNUZ", 8}}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].dtype) != i) return false;
  return true;
}
static_assert(in_order(), "rows of the table are indexed by dtype");

}  // namespace

const char* name(Dtype dtype) { return nth(table, dtype).name; }
int bits(Dtype dtype) { return nth(table, dtype).bits; }

std::optional<Dtype> dtype_of(const std::string& name) {
  for (const Row& row : table)
    if (name == row.name) return row.dtype;
  return std::nullopt;
}

}  // namespace graft::formats
