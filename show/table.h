// Tables; of any words, and of the memory ledger.
#pragma once
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "autograd/ledger.h"
#include "show/picture.h"

namespace graft::show {

using Row = std::vector<std::string>;
/// Columns of numbers are set to the right: "12", "-0.5", "1.5 MiB", "3 %". Errors: ValueError for a row of another length than the header.
Html table(const Row& header, const std::vector<Row>& rows);

/// What memory is used for; saved activations by op, too. Now and at the peak.
Html memory(const Ledger& now = ledger());
/// A column for each moment: what was in use then.
Html memory(const std::vector<std::pair<std::string, Ledger>>& moments);

std::string bytes(std::size_t n);  ///< "812 B", "3.2 KiB", "1.5 MiB"
std::string number(double x);      ///< four digits that count: "0.02314", "1.2e-07"; whole numbers in full: "12288"

}  // namespace graft::show
