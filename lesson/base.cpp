// The base of the small world. Its numbers come with the library (base.f32), since training amplifies the rounding of a processor: after
// 1000 steps two machines would have bases that differ to the eye, and a page could promise nothing.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "lesson/world.h"
#include "train/data.h"
#include "train/steps.h"

namespace graft::lesson {

extern const std::size_t base_numbers_count;  // cmake/embed_floats.cmake: the bits of base.f32
extern const std::uint32_t base_numbers[];

Gpt2Config config() {
  Gpt2Config c;
  c.vocabulary = size_of(world().tokenizer);
  c.context = 48, c.dim = 64, c.layers = 2, c.heads = 4;
  return c;
}

std::unique_ptr<Gpt2> base() {
  auto model = std::make_unique<Gpt2>(config());
  expect<SizeError>(static_cast<std::size_t>(model->count(false)) == base_numbers_count, "lesson::base: the model takes ",
                    model->count(false), " numbers, but there are ", base_numbers_count, "; write_lesson_base makes them anew");
  const std::uint32_t* from = base_numbers;
  for (const auto& named : model->parameters()) {
    Tensor numbers(named.second->shape());
    real* to = numbers.write();
    for (Index i = 0; i < numbers.numel(); ++i) {
      float number;
      std::memcpy(&number, from++, sizeof number);
      to[i] = static_cast<real>(number);
    }
    named.second->set(numbers);
  }
  return model;
}

std::unique_ptr<Gpt2> trained_base() {
  auto model = std::make_unique<Gpt2>(config());
  Rng rng(1);
  model->initialize(rng);
  const train::Order order(size_of(world().lines), 32, 1);
  Index step = 0;
  const auto loss = [&] {
    std::vector<std::string> lines;
    for (const Index i : order(step++)) lines.push_back(nth(world().lines, i));
    return language_loss(*model, train::batch(world().tokenizer, lines));
  };
  for (const double rate : {3e-3, 5e-4}) train::steps(*model, 500, rate, loss);
  return model;
}

}  // namespace graft::lesson
