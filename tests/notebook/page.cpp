#include "tests/notebook/page.h"

#include "tests/here.h"

namespace notebook {

rules::Tree real_tree() {
  const rules::fs::path root = here::root();
  rules::Tree tree;
  for (const char* folder : {"notebooks", "docs"})
    for (const auto& entry : rules::fs::recursive_directory_iterator(root / folder)) {
      const std::string path = rules::fs::relative(entry.path(), root).generic_string(),
                        end = entry.path().extension().string();
      if (entry.is_regular_file() && (end == ".md" || end == ".ipynb")) tree[path] = rules::read(entry.path());
    }
  return tree;
}

}  // namespace notebook
