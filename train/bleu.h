// BLEU (Papineni et al. 2002, "BLEU: a method for automatic evaluation of machine translation"): how many n-grams of 1 to 4
// words of the answers also occur in the references, for a whole corpus.
//     BLEU = 100 · min(1, e^(1 - r/c)) · (p₁·p₂·p₃·p₄)^(1/4)      c, r words of answers and references, pₙ clipped precision
// Words are what white space separates, as sacrebleu with tokenize="none" and smooth_method="exp": a precision of 0 counts as
// 1/2, 1/4, … of one match.
#pragma once
#include <string>
#include <vector>

namespace graft::train {

/// 0 to 100. Errors: ValueError unless there are as many answers as references, and at least one.
double bleu(const std::vector<std::string>& answers, const std::vector<std::string>& references);

}  // namespace graft::train
