// write_lesson_base FILE: trains the base of the small world and writes its numbers, floats in the order of parameters().
#include <cstdlib>
#include <iostream>

#include "formats/file.h"
#include "lesson/world.h"

int main(int count, char** words) {
  if (count != 2) {
    std::cerr << "write_lesson_base FILE\n";
    return EXIT_FAILURE;
  }
  try {
    graft::formats::AtomicFile file(words[1]);
    const auto base = graft::lesson::trained_base();
    for (const auto& named : base->parameters())
      for (const graft::real number : named.second->value().values()) {
        const float one = static_cast<float>(number);
        file.write(&one, sizeof one);
      }
    file.commit();
  } catch (const graft::Error& e) {
    std::cerr << e.what() << '\n';
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
