// graft demo: two small networks trained from nothing, written straight from the ops, to see the engine at work:
// (a) two layers that tell two spirals apart; (b) a one-block GPT that learns to write by characters. No data is read: the
// points and the text are made here. The same seed gives the same numbers, at the same number of threads.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "autograd/graph.h"
#include "autograd/ops.h"
#include "autograd/threads.h"
#include "cli/commands.h"
#include "cli/options.h"

namespace graft::cli {
namespace {

struct Options {
  std::uint64_t seed = 1;
  int steps = 1000;
  std::string graph;  // where to write the SVG; empty: nowhere
  bool quiet = false;
};

// --- what the user sees while it trains -------------------------------------------------------------------------------

/// On a terminal one line that is written over; into a pipe or file a plain line now and then; with --quiet nothing.
class Progress {
 public:
  Progress(int steps, bool quiet) : steps_(steps), quiet_(quiet) {}

  /// `done` steps are behind us, each of which handled `tokens` (0: say nothing of speed).
  void show(int done, const std::string& news, Index tokens = 0) {
    const double now = seconds();
    const bool last = done == steps_;
    if (quiet_ || !(last || (live_ ? now - shown_ > 0.1 : done % std::max(1, steps_ / 8) == 0))) return;
    shown_ = now;
    std::string line = text("  step ", done, '/', steps_, "  ", news);
    if (tokens > 0) line += text("  ", static_cast<long>(tokens * done / now), " tokens/s");
    if (!last) line += text("  ", std::lround(now / done * (steps_ - done)), " s left");
    if (live_) std::cout << '\r' << line << "\x1b[K" << (last ? "\n" : "") << std::flush;  // \x1b[K clears what was longer
    else std::cout << line << std::endl;
  }

 private:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

  int steps_;
  bool quiet_;
  bool live_ = isatty(STDOUT_FILENO);
  double shown_ = -1;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::string digits(double x, int after = 3) {
  char out[40];
  std::snprintf(out, sizeof out, "%.*f", after, x);
  return out;
}

// --- the optimizer ----------------------------------------------------------------------------------------------------

/// m <- β₁·m + (1-β₁)·g     v <- β₂·v + (1-β₂)·g²     w <- w - lr·( m̂/(√v̂ + ε) + λ·w )
/// with m̂ = m/(1-β₁ᵗ), v̂ = v/(1-β₂ᵗ)      Loshchilov & Hutter 2019, algorithm 2; only matrices decay, as in GPT-2
struct AdamW {
  std::vector<Variable> weights;
  real decay = real(0.01), beta1 = real(0.9), beta2 = real(0.99), epsilon = real(1e-8);
  int t = 0;
  std::vector<Tensor> m, v;

  AdamW(std::vector<Variable> learning) : weights(std::move(learning)) {
    const Tagged state(Category::optimizer);
    for (const Variable& w : weights) {
      m.emplace_back(w.shape(), real(0));
      v.emplace_back(w.shape(), real(0));
    }
  }

  void step(real lr) {
    ++t;
    const real unbias1 = 1 - std::pow(beta1, real(t)), unbias2 = 1 - std::pow(beta2, real(t));
    for (std::size_t k = 0; k < weights.size(); ++k) {
      Tensor w = weights[k].value();  // a handle to the same numbers
      const real lambda = w.rank() > 1 ? decay : 0;
      const real* g = weights[k].grad().data();
      real *W = w.write(), *M = m[k].write(), *V = v[k].write();
      for (Index i = 0; i < w.numel(); ++i) {
        M[i] = beta1 * M[i] + (1 - beta1) * g[i];
        V[i] = beta2 * V[i] + (1 - beta2) * g[i] * g[i];
        W[i] -= lr * (M[i] / unbias1 / (std::sqrt(V[i] / unbias2) + epsilon) + lambda * W[i]);
      }
      weights[k].clear_grad();
    }
  }
};

/// From 0 up to `peak` in the first tenth of the steps, then down along a cosine.
real rate(int step, int steps, real peak) {
  const double warm = 0.1 * steps, s = step + 1;
  if (s < warm) return peak * static_cast<real>(s / warm);
  return peak * static_cast<real>(0.55 + 0.45 * std::cos(3.14159265358979 * (s - warm) / (steps - warm)));
}

/// Numbers of deviation 1/√in keep the size of what passes through: W (out, in).
Variable weight(Index out, Index in, Rng& rng, const char* name) {
  return parameter(normal({out, in}, 0, 1 / std::sqrt(static_cast<real>(in)), rng), name);
}
Variable filled(Index n, real value, const char* name) { return parameter(Tensor({n}, value), name); }

// --- (a) two layers, two spirals --------------------------------------------------------------------------------------

struct Points {
  Tensor x;  // (N, 2)
  Ids labels;
};

/// Arm k at angle a: radius a/2π, turned by k half turns, with a little noise.
Points spirals(Index n, Rng& rng) {
  std::vector<real> x;
  std::vector<Id> labels;
  for (Index i = 0; i < n; ++i) {
    const Id arm = static_cast<Id>(i % 2);
    const double angle = 1 + 6.5 * rng.uniform(), turn = angle + 3.14159265358979 * arm;
    x.push_back(static_cast<real>(angle / 6.3 * std::cos(turn) + 0.03 * rng.normal()));
    x.push_back(static_cast<real>(angle / 6.3 * std::sin(turn) + 0.03 * rng.normal()));
    labels.push_back(arm);
  }
  return {Tensor({n, 2}, x), Ids({n}, labels)};
}

/// logits = W₂·tanh(W₁·x + b₁) + b₂
struct TwoLayers {
  Variable W1, b1, W2, b2;

  TwoLayers(Index hidden, Rng& rng)
      : W1(parameter(normal({hidden, 2}, 0, 2, rng), "W1")),
        b1(parameter(normal({hidden}, 0, 1, rng), "b1")),
        W2(weight(2, hidden, rng, "W2")),
        b2(filled(2, 0, "b2")) {}

  Variable operator()(const Variable& x) const {
    const Variable h = tanh(linear(x, W1, b1));  // (N, 2) -> (N, hidden)
    return linear(h, W2, b2);                    // (N, hidden) -> (N, 2)
  }
  std::vector<Variable> weights() const { return {W1, b1, W2, b2}; }
};

double accuracy(const Tensor& logits, const Ids& labels) {
  Index right = 0;
  for (Index i = 0; i < labels.numel(); ++i) right += (logits[2 * i + 1] > logits[2 * i]) == (labels[i] == 1);
  return static_cast<double>(right) / static_cast<double>(labels.numel());
}

/// What the network says at each place of the square [-1.3, 1.3]².
std::string map_of(const TwoLayers& net) {
  const NoGrad values_only;
  constexpr Index rows = 15, cols = 38;
  std::vector<real> places;
  for (Index r = 0; r < rows; ++r)
    for (Index c = 0; c < cols; ++c) {
      places.push_back(real(2.6) * static_cast<real>(c) / (cols - 1) - real(1.3));
      places.push_back(real(1.3) - real(2.6) * static_cast<real>(r) / (rows - 1));
    }
  const Tensor logits = net(Tensor({rows * cols, 2}, places)).value();
  std::string out;
  for (Index i = 0; i < rows * cols; ++i) {
    if (i % cols == 0) out += "    ";
    out += logits[2 * i + 1] > logits[2 * i] ? '#' : '.';
    if (i % cols == cols - 1) out += '\n';
  }
  return out;
}

/// The whole file or none: written beside its place, then moved there.
void write_file(const std::string& path, const std::string& content) {
  namespace fs = std::filesystem;
  std::error_code error;
  const bool special = fs::exists(path, error) && !fs::is_regular_file(path, error);  // a device, pipe or folder
  const fs::path target = fs::exists(path, error) ? fs::canonical(path, error) : fs::path(path);
  const fs::path part = special ? target : fs::path(text(target.string(), ".part", getpid()));
  std::ofstream out(part, std::ios::binary);
  const bool opened = out.is_open();
  out << content;
  out.close();
  if (out && !special) fs::rename(part, target, error);
  if (out && !error) return;
  std::error_code ignored_error;
  if (opened && !special) fs::remove(part, ignored_error);
  throw Error(text("--graph: cannot write \"", path, "\"; give a file in a folder that exists, that you may write to and ",
                   "that has room"));
}

void train_spirals(const Options& options, Rng& rng) {
  const Points train = spirals(400, rng), test = spirals(200, rng);
  const TwoLayers net(48, rng);
  AdamW optimizer(net.weights());
  const auto loss_of = [&](const Points& p) { return cross_entropy(net(p.x), p.labels); };
  if (!options.graph.empty()) {                                 // first of all, so that a bad file name is known at once
    const Variable points = frozen(train.x.clone(), "points");  // a leaf, so that the picture shows it
    write_file(options.graph, graph_svg(cross_entropy(net(points), train.labels)));
    std::cout << "The graph of the two-layer network is in " << options.graph << "\n\n";
  }
  std::cout << "(a) two layers, two spirals: 400 points to learn from, 200 others as a test\n";
  constexpr int steps = 600;
  Progress progress(steps, options.quiet);
  for (int step = 0; step < steps; ++step) {
    const Variable loss = loss_of(train);
    if (step == 0) std::cout << "  before: loss " << digits(loss.item()) << std::endl;
    loss.backward();
    optimizer.step(rate(step, steps, real(0.03)));
    progress.show(step + 1, text("loss ", digits(loss.item())));
  }
  const NoGrad values_only;
  std::cout << "  after:  loss " << digits(loss_of(train).item()) << ", right on "
            << digits(100 * accuracy(net(test.x).value(), test.labels), 1) << " % of the points it never saw\n"
            << map_of(net) << std::endl;
}

// --- (b) the text: a tiny grammar -------------------------------------------------------------------------------------

/// sentence -> noun-phrase verb noun-phrase [place] "."    The verb agrees with the subject, one noun away from it.
/// Every choice is a fair draw and no text comes about in two ways, so -log P(text) is the sum of log(alternatives).
class Grammar {
 public:
  explicit Grammar(Rng& rng) : rng_(rng) {}

  std::string text(std::size_t length) {
    std::string out;
    while (out.size() < length) out += sentence();
    return out;
  }
  double surprise() const { return surprise_; }  ///< -log P of all that was made so far, in nats

  /// The share of whole words in `sample` that the grammar knows.
  static double known(const std::string& sample);

 private:
  using Words = std::vector<const char*>;
  static const Words& nouns() {
    static const Words w{"gardener", "blackbird", "beetle", "child", "hedgehog"};
    return w;
  }
  static const Words& adjectives() {
    static const Words w{"old", "small", "patient", "green"};
    return w;
  }
  static const Words& verbs() {
    static const Words w{"graft", "water", "find", "eat"};
    return w;
  }
  static const Words& fruits() {
    static const Words w{"pear", "plum", "twig", "apple"};
    return w;
  }
  static const Words& places() {
    static const Words w{"in the orchard", "by the wall", "at dawn"};
    return w;
  }

  std::size_t choose(std::size_t n) {
    surprise_ += std::log(static_cast<double>(n));
    return static_cast<std::size_t>(rng_.below(static_cast<Index>(n)));
  }
  std::string one_of(const Words& words) { return words[choose(words.size())]; }
  static std::string plural(const std::string& noun) { return noun == "child" ? "children" : noun + "s"; }

  std::string phrase(const Words& words, bool many) {
    std::string out = many ? (choose(2) ? "two " : "many ") : (choose(2) ? "one " : "the ");
    if (choose(2)) out += one_of(adjectives()) + " ";
    const std::string noun = one_of(words);
    return out + (many ? plural(noun) : noun);
  }
  std::string sentence() {
    const bool many = choose(2);
    std::string out = phrase(nouns(), many) + " " + one_of(verbs()) + (many ? " " : "s ");  // they graft, she grafts
    out += phrase(fruits(), choose(2));
    if (choose(2)) out += " " + one_of(places());
    return out + ". ";
  }

  Rng& rng_;
  double surprise_ = 0;
};

double Grammar::known(const std::string& sample) {
  std::set<std::string> lexicon{"two", "many", "one", "the"};
  for (const Words* words : {&nouns(), &fruits()})
    for (const std::string word : *words) lexicon.insert({word, plural(word)});
  for (const std::string verb : verbs()) lexicon.insert({verb, verb + "s"});
  for (const Words* words : {&adjectives(), &places()})
    for (const char* several : *words) {
      std::istringstream in(several);
      for (std::string word; in >> word;) lexicon.insert(word);
    }
  int all = 0, right = 0;
  std::istringstream in(sample.substr(0, sample.rfind(' ')));  // the last word may be cut
  for (std::string word; in >> word; ++all) {
    if (word.back() == '.') word.pop_back();
    right += lexicon.count(word) > 0;
  }
  return all ? static_cast<double>(right) / all : 0;
}

/// Characters as numbers, in the order of the alphabet of `text`.
struct Alphabet {
  std::string letters;

  explicit Alphabet(const std::string& text) {
    const std::set<char> distinct(text.begin(), text.end());
    letters.assign(distinct.begin(), distinct.end());
  }
  Index size() const { return static_cast<Index>(letters.size()); }
  std::vector<Id> encode(const std::string& text) const {
    std::vector<Id> ids;
    for (const char c : text) ids.push_back(static_cast<Id>(letters.find(c)));
    return ids;
  }
};

// --- (b) the model: one block of GPT-2 (Radford et al. 2019) ----------------------------------------------------------

struct Gpt {
  static constexpr Index context = 64, width = 64, heads = 4;
  Variable token, position, gain1, bias1, Q, K, V, O, gain2, bias2, up, up_bias, down, down_bias, gain3, bias3;

  Gpt(Index vocabulary, Rng& rng)
      : token(parameter(normal({vocabulary, width}, 0, real(0.1), rng), "token")),
        position(parameter(normal({context, width}, 0, real(0.1), rng), "position")),
        gain1(filled(width, 1, "norm1.gain")),
        bias1(filled(width, 0, "norm1.bias")),
        Q(weight(width, width, rng, "Q")),
        K(weight(width, width, rng, "K")),
        V(weight(width, width, rng, "V")),
        O(weight(width, width, rng, "O")),
        gain2(filled(width, 1, "norm2.gain")),
        bias2(filled(width, 0, "norm2.bias")),
        up(weight(4 * width, width, rng, "up")),
        up_bias(filled(4 * width, 0, "up.bias")),
        down(weight(width, 4 * width, rng, "down")),
        down_bias(filled(width, 0, "down.bias")),
        gain3(filled(width, 1, "norm3.gain")),
        bias3(filled(width, 0, "norm3.bias")) {}

  std::vector<Variable> weights() const {
    return {token, position, gain1, bias1, Q, K, V, O, gain2, bias2, up, up_bias, down, down_bias, gain3, bias3};
  }

  Variable attention(const Variable& x) const {
    const auto by_head = [&](const Variable& W) { return split_heads(linear(x, W), heads); };  // (B, T, C) -> (B, H, T, D)
    return linear(merge_heads(causal_attention(by_head(Q), by_head(K), by_head(V))), O);       // -> (B, T, C)
  }
  Variable mlp(const Variable& x) const {
    return linear(gelu(linear(x, up, up_bias)), down, down_bias);  // (B, T, C) -> (B, T, 4C) -> (B, T, C)
  }
  Variable operator()(const Ids& ids) const {  // (B, T) -> (B, T, C)
    std::vector<Id> places(static_cast<std::size_t>(ids.shape().dim(1)));
    for (std::size_t t = 0; t < places.size(); ++t) places[t] = static_cast<Id>(t);
    Variable x = lookup(token, ids) + lookup(position, Ids({ids.shape().dim(1)}, places));  // (B, T, C) + (T, C)
    x = x + attention(layer_norm(x, gain1, bias1));
    x = x + mlp(layer_norm(x, gain2, bias2));
    return layer_norm(x, gain3, bias3);
  }
  /// The mean of -log P(next character); the head is the token table, as in GPT-2.
  Variable loss(const Ids& ids, const Ids& next) const { return linear_cross_entropy((*this)(ids), token, next); }
};

struct Batch {
  Ids ids, next;  // (B, T): next[b, t] is the character after ids[b, t]
};

/// The windows of `text` that begin at `starts`.
Batch windows(const std::vector<Id>& text, const std::vector<Index>& starts) {
  std::vector<Id> ids, next;
  for (const Index start : starts) {
    ids.insert(ids.end(), text.begin() + start, text.begin() + start + Gpt::context);
    next.insert(next.end(), text.begin() + start + 1, text.begin() + start + 1 + Gpt::context);
  }
  const Shape shape{static_cast<Index>(starts.size()), Gpt::context};
  return {Ids(shape, ids), Ids(shape, next)};
}

Batch random_batch(const std::vector<Id>& text, Index size, Rng& rng) {
  std::vector<Index> starts;
  for (Index b = 0; b < size; ++b) starts.push_back(rng.below(static_cast<Index>(text.size()) - Gpt::context));
  return windows(text, starts);
}

/// Of all of `text`, window by window. Somewhat above the grammar's own: the first characters of a window are guessed blind.
real held_out_loss(const Gpt& model, const std::vector<Id>& text) {
  const NoGrad values_only;
  std::vector<Index> starts;
  for (Index s = 0; s + Gpt::context < static_cast<Index>(text.size()); s += Gpt::context) starts.push_back(s);
  const Batch all = windows(text, starts);
  return model.loss(all.ids, all.next).item();
}

/// One of 0 .. n-1, with the probabilities softmax(logits).
Id draw(const real* logits, Index n, Rng& rng) {
  const real highest = *std::max_element(logits, logits + n);
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += std::exp(static_cast<double>(logits[i] - highest));
  double left = sum * rng.uniform();
  for (Index i = 0; i < n - 1; ++i) {
    left -= std::exp(static_cast<double>(logits[i] - highest));
    if (left < 0) return static_cast<Id>(i);
  }
  return static_cast<Id>(n - 1);
}

/// `length` characters after the end of a sentence, each drawn from what the model expects after the last `context` ones.
std::string write(const Gpt& model, const Alphabet& alphabet, Index length, Rng rng) {
  const NoGrad values_only;
  const std::string before = ". ";
  std::vector<Id> text = alphabet.encode(before);
  while (text.size() < before.size() + static_cast<std::size_t>(length)) {
    const Index T = std::min<Index>(Gpt::context, static_cast<Index>(text.size()));
    const Variable x = model(Ids({1, T}, {text.end() - T, text.end()}));       // (1, T, C)
    const Tensor logits = linear(slice(x, 1, T - 1, T), model.token).value();  // (1, 1, vocabulary)
    text.push_back(draw(logits.data(), alphabet.size(), rng));
  }
  std::string out;
  for (std::size_t i = before.size(); i < text.size(); ++i) out += alphabet.letters[static_cast<std::size_t>(text[i])];
  return out;
}

void show_sample(const char* when, const std::string& sample) {
  std::cout << "  " << when << ", it writes (" << digits(100 * Grammar::known(sample), 0) << " % of the words exist):\n";
  for (std::size_t i = 0; i < sample.size(); i += 72) std::cout << "    | " << sample.substr(i, 72) << '\n';
  std::cout << std::flush;
}

void train_gpt(const Options& options, Rng& rng) {
  Rng for_train = rng.split(), for_held_out = rng.split(), for_samples = rng.split();
  const std::string written = Grammar(for_train).text(60000);
  Grammar other(for_held_out);
  const std::string unseen = other.text(6000);
  const double limit = other.surprise() / static_cast<double>(unseen.size());
  const Alphabet alphabet(written + unseen);
  const std::vector<Id> train = alphabet.encode(written), held_out = alphabet.encode(unseen);
  const Gpt model(alphabet.size(), rng);
  AdamW optimizer(model.weights());

  std::cout << "(b) a one-block GPT reads " << written.size() << " characters of a made-up language, such as\n    | "
            << written.substr(0, 72) << "\n  Losses are in nats per character; who knows the grammar itself is left with "
            << digits(limit) << ".\n";
  show_sample("before", write(model, alphabet, 144, for_samples));
  const real before = held_out_loss(model, held_out);
  std::cout << "  before: held-out loss " << digits(before) << std::endl;
  reset_peaks();  // what the ledger shows below is training alone

  constexpr Index batch = 16;
  Progress progress(options.steps, options.quiet);
  real held = before;
  for (int step = 0; step < options.steps; ++step) {
    const Batch b = random_batch(train, batch, rng);
    const Variable loss = model.loss(b.ids, b.next);
    if (step == 0) std::cout << "\n  Memory after the first forward pass:\n" << ledger() << std::endl;
    loss.backward();
    optimizer.step(rate(step, options.steps, real(0.006)));
    if ((step + 1) % std::max(1, options.steps / 8) == 0) held = held_out_loss(model, held_out);
    progress.show(step + 1, text("loss ", digits(loss.item()), "  held out ", digits(held)), batch * Gpt::context);
  }
  std::cout << "  after:  held-out loss " << digits(held_out_loss(model, held_out)) << " (before " << digits(before)
            << ", limit " << digits(limit) << ")\n";
  show_sample("after", write(model, alphabet, 288, for_samples));
}

void demo(const Options& options) {
  Rng rng(options.seed);
  Rng for_spirals = rng.split(), for_gpt = rng.split();
  train_spirals(options, for_spirals);
  train_gpt(options, for_gpt);
}

}  // namespace

void add_demo(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* demo_command =
      app.add_subcommand("demo", "train two small networks from nothing and watch them learn (about half a minute)");
  const auto file_name = [](const std::string& s) {
    return s.empty() || s[0] == '-' ? "needs the name of a file, not \"" + s + "\"" : std::string();
  };
  demo_command->add_option("--seed", options->seed, "where random numbers begin; the same seed gives the same results")
      ->check(whole(0, 1000000000000000))
      ->type_name("N")
      ->capture_default_str();
  demo_command->add_option("--steps", options->steps, "training steps of the character model")
      ->check(whole(1, 1000000))
      ->type_name("N")
      ->capture_default_str();
  demo_command->add_option("--graph", options->graph, "write the graph of the two-layer network to this file, as SVG")
      ->check(file_name)
      ->type_name("FILE");
  demo_command->add_flag("--quiet", options->quiet, "results only, no progress");
  demo_command->callback([options, &app] {
    // Networks this small gain nothing from threads, and with one the numbers are the same however many cores there are.
    if (app.count("--threads") == 0) threads(1);
    demo(*options);
  });
}

}  // namespace graft::cli
