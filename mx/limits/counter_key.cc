#include "mx/limits/counter_key.h"

#include <array>
#include <optional>

#include "conf/vocab/text.h"

namespace mx {

namespace {

constexpr std::string_view kTogether = "*";

bool plain(char c) { return c != '%' && c != '|' && c != '*' && c >= 0x20 && c != 0x7f; }

void append_part(std::string_view part, std::string* key) {
  key->push_back('|');
  for (const char c : part) {
    if (plain(c) || static_cast<unsigned char>(c) >= 0x80) {
      key->push_back(c);
      continue;
    }
    key->push_back('%');
    conf::append_hex(c, key);
  }
}

void append_part_or_together(bool together, std::string_view part, std::string* key) {
  if (together) {
    key->append({'|', '*'});
  } else {
    append_part(part, key);
  }
}

std::string make_key(char kind, const CounterNames& names, const PathLimits& limits) {
  std::string key(1, kind);
  key.reserve(8 + names.rule.size() + names.site.size() + names.source.size() + 40);
  append_part(names.rule, &key);
  const bool by_address = kind == 'T' && limits.scope == conf::RuleScope::kPath;
  append_part_or_together(limits.one_site || by_address, names.site, &key);
  append_part_or_together(limits.scope == conf::RuleScope::kPool, names.source, &key);
  return key;
}

std::optional<std::string> read_part(std::string_view text) {
  if (text == kTogether) return std::string(kTogether);
  std::string part;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      part.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = conf::hex_value(text[i + 1]), low = conf::hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    part.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  return part;
}

}  // namespace

CounterNames host_names(const CounterNames& names, const std::string& host) {
  return {names.rule, host + '|', names.source};
}

std::string traffic_key(const CounterNames& names, std::string_view address, const PathLimits& limits) {
  std::string key = make_key('T', names, limits);
  append_part_or_together(limits.scope != conf::RuleScope::kPath, address, &key);
  key.shrink_to_fit();
  return key;
}

std::string standing_key(const CounterNames& names, const PathLimits& limits) {
  std::string key = make_key('S', names, limits);
  append_part_or_together(true, {}, &key);
  key.shrink_to_fit();
  return key;
}

std::vector<std::string> places_of(const Whereabouts& where) {
  std::vector<std::string> places = {"|*|*|*"};
  const auto add = [&places](std::string_view site, std::string_view source, std::string_view address) {
    std::string place;
    append_part_or_together(site == kTogether, site, &place);
    append_part_or_together(source == kTogether, source, &place);
    append_part_or_together(address == kTogether, address, &place);
    places.push_back(std::move(place));
  };
  add(where.site, kTogether, kTogether);
  for (const std::string& source : where.sources) {
    add(where.site, source, kTogether);
    add(kTogether, source, kTogether);
    for (const std::string& address : where.addresses) add(kTogether, source, address);
  }
  return places;
}

bool parse_key(std::string_view key, CounterKey* out) {
  if (key.size() < 2 || (key[0] != 'T' && key[0] != 'S') || key[1] != '|') return false;
  out->kind = key[0];
  key.remove_prefix(2);
  const std::array<std::string*, 4> parts = {&out->names.rule, &out->names.site, &out->names.source,
                                             &out->address};
  for (size_t i = 0; i < parts.size(); ++i) {
    const size_t end = key.find('|');
    if ((end == std::string_view::npos) != (i + 1 == parts.size())) return false;
    std::optional<std::string> part = read_part(key.substr(0, end));
    if (!part) return false;
    *parts[i] = std::move(*part);
    key.remove_prefix(end == std::string_view::npos ? key.size() : end + 1);
  }
  return true;
}

}  // namespace mx
