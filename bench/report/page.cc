#include "bench/report/page.h"

#include <fmt/format.h>

#include <utility>

#include "bench/report/chart.h"

namespace bench {
namespace {

constexpr char kStyle[] = R"(
:root{color-scheme:light dark;--paper:#f6f6f4;--card:#fff;--ink:#16181d;--soft:#5b616b;--line:#e3e3df;--axis:#a9adb4;
--h0:#2a6fcf;--h1:#c77700;--h2:#0f8f68;--h3:#7a4fc4;--bad:#cf3a39;--grey:#8b909a;--badbg:#fdeceb}
@media(prefers-color-scheme:dark){:root{--paper:#15171a;--card:#1e2125;--ink:#eceef1;--soft:#a2a8b2;--line:#31353b;
--axis:#646b76;--h0:#5b9df0;--h1:#e2a03f;--h2:#3fbf94;--h3:#ab8af0;--bad:#f0706c;--grey:#7d838e;--badbg:#3a2324}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1240px;margin:0 auto;padding:28px 20px 40px}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 4px;font-weight:650}
h2{font-size:1.02rem;margin:0 0 2px;font-weight:650}
.sub,.say{color:var(--soft);margin:0 0 18px;overflow-wrap:anywhere}.say{font-size:.88rem;margin:0 0 10px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:12px;margin:0 0 16px}
.tile,figure,.table,.warn{background:var(--card);border:1px solid var(--line);border-radius:10px}
.tile{padding:12px 14px}.tile b{display:block;font-size:1.5rem;line-height:1.25;font-weight:650;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:.85rem}.tile small{font-size:.9rem;font-weight:400;color:var(--soft);margin-left:4px}
.tile.bad b{color:var(--bad)}
.warn{border-color:var(--bad);background:var(--badbg);padding:10px 14px;margin:0 0 16px}
.grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,520px),1fr));gap:16px}
figure,.table{margin:0;padding:16px 18px 14px;min-width:0}.wide{grid-column:1/-1}
.table{overflow-x:auto}
svg.chart{display:block;width:100%;height:auto}
svg text{fill:var(--soft);font-size:12.5px;font-variant-numeric:tabular-nums}svg .label{font-size:13px}
.grid{stroke:var(--line);stroke-width:1}.axis{stroke:var(--axis);stroke-width:1}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.dashed{stroke-dasharray:5 5;stroke-width:1.5}
.area{opacity:.13;stroke:none}.hint{fill:transparent}.hint:hover{fill:var(--axis);fill-opacity:.16}
.line.h0{stroke:var(--h0)}.line.h1{stroke:var(--h1)}.line.h2{stroke:var(--h2)}.line.h3{stroke:var(--h3)}
.line.bad{stroke:var(--bad)}.line.grey{stroke:var(--grey)}
.area.h0{fill:var(--h0)}.area.h1{fill:var(--h1)}.area.h2{fill:var(--h2)}.area.h3{fill:var(--h3)}.area.bad{fill:var(--bad)}
.legend{margin:0 0 6px;color:var(--soft);font-size:.86rem;display:flex;flex-wrap:wrap;gap:4px 18px}
.legend .key{width:22px;height:10px;margin-right:6px}
.bar{display:grid;grid-template-columns:minmax(120px,38%) 1fr minmax(110px,auto);gap:12px;align-items:center;padding:5px 0;font-size:.9rem}
.bar .name{overflow-wrap:anywhere;line-height:1.3}.bar .value{text-align:right;font-variant-numeric:tabular-nums}
.track{height:16px}.fill{display:block;height:100%;min-width:2px;border-radius:3px;background:var(--h0)}
.fill.bad{background:var(--bad)}.fill.h1{background:var(--h1)}.fill.h2{background:var(--h2)}.fill.h3{background:var(--h3)}.fill.grey{background:var(--grey)}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums;margin-top:6px}
th,td{padding:5px 10px 5px 0;border-bottom:1px solid var(--line);text-align:right;font-weight:400;white-space:nowrap}.text td{white-space:normal;overflow-wrap:anywhere}.text td:first-child{white-space:nowrap}
th{color:var(--soft)}tr:last-child td{border-bottom:0}th:first-child,td:first-child,.text th,.text td{text-align:left}
footer{color:var(--soft);font-size:.85rem;margin-top:20px}
)";

}  // namespace

Page::Page(std::string title, std::string subtitle)
    : title_(std::move(title)), subtitle_(std::move(subtitle)) {}

void Page::warning(const std::string& text) {
  body_ += "<p class=\"warn wide\">" + escape_html(text) + "</p>";
}

void Page::tiles(const std::vector<Tile>& tiles) {
  body_ += "<div class=\"tiles wide\">";
  for (const Tile& tile : tiles)
    body_ += fmt::format(R"(<div class="tile{}"><span>{}</span><b>{}<small>{}</small></b></div>)",
                         tile.bad ? " bad" : "", escape_html(tile.label), escape_html(tile.value),
                         escape_html(tile.unit));
  body_ += "</div>";
}

void Page::figure(const std::string& heading, const std::string& sentence, const std::string& chart,
                  bool wide) {
  body_ += fmt::format("<figure{}><h2>{}</h2><p class=\"say\">{}</p>{}</figure>\n",
                       wide ? " class=\"wide\"" : "", escape_html(heading), escape_html(sentence), chart);
}

void Page::table(const std::string& heading, const std::vector<std::string>& header,
                 const std::vector<std::vector<std::string>>& rows, bool text_only) {
  body_ += fmt::format("<section class=\"table\"><h2>{}</h2><table{}>", escape_html(heading),
                       text_only ? " class=\"text\"" : "");
  if (!header.empty()) {
    body_ += "<tr>";
    for (const std::string& cell : header) body_ += "<th scope=\"col\">" + escape_html(cell) + "</th>";
    body_ += "</tr>";
  }
  for (const std::vector<std::string>& row : rows) {
    body_ += "<tr>";
    for (const std::string& cell : row) body_ += "<td>" + escape_html(cell) + "</td>";
    body_ += "</tr>";
  }
  body_ += "</table></section>\n";
}

std::string Page::html(const std::string& footer) const {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><title>{0}</title><style>{1}</style></head>\n"
      "<body><main><h1>{0}</h1><p class=\"sub\">{2}</p>\n<div "
      "class=\"grid2\">{3}</div>\n<footer>{4}</footer></main></body></html>\n",
      escape_html(title_), kStyle, escape_html(subtitle_), body_, escape_html(footer));
}

}  // namespace bench
