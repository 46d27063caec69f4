// One self-contained HTML page: figures, plots, tables. No script, nothing from elsewhere, light and dark.
#pragma once

#include <string>
#include <vector>

namespace bench {

struct Tile {
  std::string label;
  std::string value;
  std::string unit;
  bool bad = false;
};

class Page {
 public:
  Page(std::string title, std::string subtitle);

  void tiles(const std::vector<Tile>& tiles);
  // A heading, what the plot shows in a sentence, and the plot (chart.h). Two stand side by side where there
  // is room; `wide`: it takes the whole width.
  void figure(const std::string& heading, const std::string& sentence, const std::string& chart,
              bool wide = false);
  // The first column is text, the others are numbers, aligned to the right unless `text_only`.
  void table(const std::string& heading, const std::vector<std::string>& header,
             const std::vector<std::vector<std::string>>& rows, bool text_only = false);
  void warning(const std::string& text);

  std::string html(const std::string& footer) const;

 private:
  std::string title_;
  std::string subtitle_;
  std::string body_;
};

}  // namespace bench
