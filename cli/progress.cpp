#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "autograd/errors.h"

namespace graft::cli {

ProgressLine::ProgressLine(std::string name, Index steps, bool quiet, Index begin)
    : name_(std::move(name)),
      steps_(steps),
      begin_(begin),
      quiet_(quiet),
      live_(isatty(STDERR_FILENO) != 0),
      pace_(static_cast<double>(std::max<Index>(20, steps / 10 + 1))) {}  // large enough to include an evaluation

void ProgressLine::show(Index done, const std::string& news, double tokens) {
  const double now = seconds();
  pace_.at(now, static_cast<double>(done));
  const bool last = done == steps_;
  const Index often = std::max<Index>(1, steps_ / 10);
  if (quiet_ || !(last || (live_ ? now - shown_ > 0.1 : done % often == 0 || done == begin_ + 1))) return;
  shown_ = now;
  std::string line = text(name_, "step ", done, '/', steps_, "  ", news);
  const double each = pace_.each();  // unknown after the first step
  if (each > 0 && tokens > 0) line += text("  ", static_cast<long>(tokens / each), " tokens/s");
  if (each > 0 && !last) line += "  " + short_time(each * static_cast<double>(steps_ - done)) + " left";
  if (live_) std::cerr << '\r' << line << "\x1b[K" << (last ? "\n" : "") << std::flush;  // \x1b[K clears the rest of a longer line
  else std::cerr << line << std::endl;
  open_ = live_ && !last;
}

void ProgressLine::say(const std::string& line) {
  if (quiet_) return;
  std::cerr << (open_ ? "\r\x1b[K" : "") << line << std::endl;
  open_ = false;
}

void ProgressLine::keep(const std::string& line) {
  if (quiet_) return;
  if (!live_) {
    const double now = seconds();
    if (now - shown_ < 60) return;
    shown_ = now;
    std::cerr << line << std::endl;
    return;
  }
  winsize size{};
  const std::size_t columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1U : 79;
  std::cerr << '\r' << line.substr(0, columns) << "\x1b[K" << std::flush;
  open_ = true;
}

std::string digits(double x, int after) {
  char out[400];
  std::snprintf(out, sizeof out, "%.*f", after, x);
  return out;
}

std::string short_time(double seconds) {
  const long s = std::lround(seconds);
  if (s < 100) return text(s, " s");
  if (s < 6000) return text(s / 60, " min ", s % 60, " s");
  return text(s / 3600, " h ", s % 3600 / 60, " min");
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  const auto width = [](const std::string& s) {  // of UTF-8 text
    return static_cast<std::size_t>(std::count_if(s.begin(), s.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  };
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c == widths.size()) widths.push_back(0);
      widths[c] = std::max(widths[c], width(row[c]));
    }
  std::string all;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      const std::string gap(widths[c] - width(rows[r][c]), ' ');
      line += (c ? "  " : "") + (c ? gap + rows[r][c] : rows[r][c] + gap);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    all += line + "\n";
    if (r > 0) continue;
    std::size_t whole = 0;
    for (const std::size_t w : widths) whole += w + 2;
    for (std::size_t i = 2; i < whole; ++i) all += "─";
    all += "\n";
  }
  return all;
}

}  // namespace graft::cli
