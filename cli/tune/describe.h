// What graft tune says before it begins: which method, which data, how many steps.
#pragma once
#include <string>
#include <vector>

#include "cli/tune/job.h"

namespace graft::cli {

std::string described(const Job& job);
std::string described_data(const Job& job);
std::vector<std::string> notes(const Job& job);  ///< what is put around texts, and what is missing there

}  // namespace graft::cli
