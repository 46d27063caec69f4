#include "bounce/report/html_text.h"

#include <algorithm>
#include <array>

#include "bounce/report/text.h"
#include "conf/vocab/utf8.h"

namespace bounce::report {
namespace {

constexpr std::array<std::string_view, 18> kBlocks = {"br", "p",  "div", "tr",  "li",    "h1",
                                                      "h2", "h3", "h4",  "h5",  "h6",    "hr",
                                                      "ul", "ol", "td",  "pre", "table", "dd"};

constexpr size_t kLinkOctets = 1024;  // with its text
constexpr size_t kTagOctets = 4096;   // a '<' without its end this near is text

struct Entity {
  std::string_view name;
  std::string_view text;
};
constexpr std::array<Entity, 7> kEntities = {
    {{"lt", "<"}, {"gt", ">"}, {"amp", "&"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}, {"shy", ""}}};

void append_character(char32_t c, std::string* out) {
  if (c == 0xa0) c = ' ';
  if (c >= ' ' || c == '\n') conf::append_utf8(c, out);
}

// Decodes the entity at the front of `html` ("&..."); gives its length, or 0 when it is none.
size_t take_entity(std::string_view html, std::string* out) {
  const size_t end = html.substr(0, 12).find(';');
  if (end == kNowhere || end < 2) return 0;
  const std::string_view name = html.substr(1, end - 1);
  if (name.front() == '#') {
    const bool hex = name.size() > 2 && conf::ascii_lower(name[1]) == 'x';
    uint32_t value = 0;
    for (const char c : name.substr(hex ? 2 : 1)) {
      if (hex ? !conf::is_hex_digit(c) : !is_digit(c)) return 0;
      value = value * (hex ? 16 : 10) + static_cast<uint32_t>(conf::hex_value(c));
      if (value > 0x10ffff) return 0;
    }
    append_character(value, out);
    return end + 1;
  }
  for (const Entity& entity : kEntities) {
    if (!equal_ignoring_case(name, entity.name)) continue;
    out->append(entity.text);
    return end + 1;
  }
  return 0;
}

// The tag at the front of `html`; gives where the text goes on.
size_t take_tag(std::string_view html, std::string* out) {
  if (html.starts_with("<!--")) {
    const size_t end = html.find("-->", 4);
    return end == kNowhere ? html.size() : end + 3;
  }
  size_t at = 1;
  if (at < html.size() && html[at] == '/') ++at;
  const size_t begin = at;
  while (at < html.size() && (is_letter(html[at]) || is_digit(html[at]))) ++at;
  const std::string_view name = html.substr(begin, at - begin);
  // "<user@example.com>" that nobody escaped: not a tag.
  const size_t end = html.substr(0, kTagOctets).find('>', at);
  if (end == kNowhere) {
    *out += html.front();
    return 1;
  }
  const std::string_view inside = html.substr(1, end - 1);
  const bool address = inside.find('@') != kNowhere && inside.find_first_of(" =\"") == kNowhere;
  if (address) {
    out->append(html.substr(0, end + 1));
    return end + 1;
  }
  if (begin == 1 && (equal_ignoring_case(name, "style") || equal_ignoring_case(name, "script"))) {
    const size_t close = find_folded(html, equal_ignoring_case(name, "style") ? "</style" : "</script", end);
    const size_t last = close == kNowhere ? kNowhere : html.find('>', close);
    return last == kNowhere ? html.size() : last + 1;
  }
  const bool block = std::any_of(kBlocks.begin(), kBlocks.end(),
                                 [&](std::string_view each) { return equal_ignoring_case(name, each); });
  if (block) *out += '\n';
  return end + 1;
}

// The link to an address at the front of `html` whose text is a name: "name <address>". Gives its length, or
// 0 when it is none.
size_t take_named_link(std::string_view html, std::string* out) {
  if (html.size() < 3 || conf::ascii_lower(html[1]) != 'a' || !is_blank(html[2])) return 0;
  const std::string_view near = html.substr(0, kLinkOctets);
  const size_t end = near.find('>');
  if (end == kNowhere) return 0;
  const size_t link = find_folded(near.substr(0, end), "mailto:");
  const size_t close = find_folded(near, "</a", end);
  if (link == kNowhere || close == kNowhere) return 0;
  const std::string_view address = near.substr(link + 7, near.find_first_of("\"'?> ", link + 7) - link - 7);
  const std::string name = html_to_text(near.substr(end + 1, close - end - 1));
  if (trimmed(name).empty() || name.find('@') != kNowhere || address.find('@') == kNowhere) return 0;
  out->append(name).append(" <").append(address).append(">");
  const size_t last = html.find('>', close);
  return last == kNowhere ? html.size() : last + 1;
}

}  // namespace

std::string html_to_text(std::string_view html) {
  std::string out;
  out.reserve(html.size());
  for (size_t at = 0; at < html.size();) {
    const char c = html[at];
    if (c == '<') {
      const size_t link = take_named_link(html.substr(at), &out);
      at += link == 0 ? take_tag(html.substr(at), &out) : link;
      continue;
    }
    const size_t taken = c == '&' ? take_entity(html.substr(at), &out) : 0;
    if (taken == 0) out += c;
    at += taken == 0 ? 1 : taken;
  }
  return out;
}

}  // namespace bounce::report
