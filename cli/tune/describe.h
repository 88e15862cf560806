// What graft tune prints before it begins: which method, which data, how many steps.
#pragma once
#include <string>
#include <vector>

#include "cli/tune/job.h"

namespace graft::cli {

std::string described(const Job& job);
std::string described_data(const Job& job);
std::vector<std::string> notes(const Job& job);  ///< which tokens are put around texts, and which are missing

}  // namespace graft::cli
