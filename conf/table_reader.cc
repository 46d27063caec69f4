#include "conf/table_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <sstream>

#include "conf/key_hints.h"

namespace conf {

namespace {

std::string type_name(const toml::node& node) {
  std::ostringstream out;
  out << node.type();
  return out.str();
}

std::string quoted(const std::string& text) { return text.empty() ? text : '"' + text + '"'; }

std::string share_text(double share) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), share);
  return {digits.data(), end.ptr};
}

std::string list(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + quoted(text);
  return '[' + out + ']';
}

}  // namespace

// What was asked once is known.
bool TableReader::notes(const char* key) const {
  return asked_ != nullptr && std::find(known_.begin(), known_.end(), key) == known_.end();
}

void TableReader::note(const char* key, std::string preset) {
  const toml::node* node = find(key);
  asked_->push_back({name_, line(), key, std::move(preset),
                     node == nullptr ? 0 : static_cast<int>(node->source().begin.line)});
}

int TableReader::line() const {
  return table_ == nullptr ? 0 : static_cast<int>(table_->source().begin.line);
}

void TableReader::report_at(const toml::source_region& where, std::string message, bool warning) {
  problems_->push_back({file_, static_cast<int>(where.begin.line), static_cast<int>(where.begin.column),
                        name_.empty() ? std::move(message) : name_ + " " + message, warning});
}

void TableReader::report(const char* key, std::string message, bool warning) {
  const toml::node* node = table_ == nullptr || key == nullptr ? nullptr : table_->get(key);
  std::string text = key == nullptr ? std::move(message) : std::string(key) + ": " + message;
  if (node != nullptr) {
    report_at(node->source(), std::move(text), warning);
  } else if (table_ != nullptr) {
    report_at(table_->source(), std::move(text), warning);
  } else {
    problems_->push_back({file_, 1, 1, name_ + " " + text, warning});
  }
}

const toml::node* TableReader::find(const char* key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

void TableReader::wrong_type(const char* key, const toml::node& node, const char* wanted) {
  report(key, std::string("wanted is ") + wanted + ", this is a value of type " + type_name(node));
}

bool TableReader::text(const char* key, std::string* out) {
  if (notes(key)) note(key, quoted(*out));
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  if (!node->is_string()) {
    wrong_type(key, *node, "a text in quotes");
    return false;
  }
  *out = node->as_string()->get();
  return true;
}

bool TableReader::flag(const char* key, bool* out) {
  if (notes(key)) note(key, *out ? "true" : "false");
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  if (!node->is_boolean()) {
    wrong_type(key, *node, "true or false");
    return false;
  }
  *out = node->as_boolean()->get();
  return true;
}

bool TableReader::number(const char* key, uint32_t* out, uint32_t least, uint32_t most) {
  if (notes(key)) note(key, std::to_string(*out));
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  if (!node->is_integer()) {
    wrong_type(key, *node, "a whole number");
    return false;
  }
  const int64_t value = node->as_integer()->get();
  if (value < static_cast<int64_t>(least) || value > static_cast<int64_t>(most)) {
    report(key, std::to_string(value) + " is out of range: at least " + std::to_string(least) + ", at most " +
                    std::to_string(most));
    return false;
  }
  *out = static_cast<uint32_t>(value);
  return true;
}

bool TableReader::share(const char* key, double* out) {
  if (notes(key)) note(key, share_text(*out));
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const std::optional<double> value = node->value<double>();
  if (!value || !node->is_number()) {
    wrong_type(key, *node, "a number from 0 to 1, such as 0.05");
    return false;
  }
  if (!(*value >= 0 && *value <= 1)) {  // NaN is neither
    report(key, "must be from 0 to 1, such as 0.05");
    return false;
  }
  *out = *value;
  return true;
}

bool TableReader::duration(const char* key, Duration* out, Duration least) {
  if (notes(key)) note(key, quoted(written(*out)));
  std::string value;
  const toml::node* node = find(key);
  if (node != nullptr && node->is_integer()) {
    report(key, "a duration is a text with its unit, such as \"90s\", \"3h\" or \"5d\"");
    return false;
  }
  if (!text(key, &value)) return false;
  const Result<Duration> parsed = parse_duration(value);
  if (!parsed.ok()) {
    report(key, parsed.error().detail);
    return false;
  }
  if (parsed.value() < least) {
    report(key, "\"" + value + "\" is too short: at least " + std::to_string(least.count() / 1000) + "ms");
    return false;
  }
  *out = parsed.value();
  return true;
}

bool TableReader::size(const char* key, uint64_t* out, uint64_t least) {
  if (notes(key)) note(key, quoted(written_size(*out)));
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  uint64_t value = 0;
  if (node->is_integer() && node->as_integer()->get() >= 0) {
    value = static_cast<uint64_t>(node->as_integer()->get());
  } else if (!node->is_string()) {
    wrong_type(key, *node, "a size such as \"25MB\", or a whole number of bytes");
    return false;
  } else {
    const Result<uint64_t> parsed = parse_size(node->as_string()->get());
    if (!parsed.ok()) {
      report(key, parsed.error().detail);
      return false;
    }
    value = parsed.value();
  }
  if (value < least) {
    report(key, "too small: at least " + std::to_string(least) + " bytes");
    return false;
  }
  *out = value;
  return true;
}

bool TableReader::parts_per_million(const char* key, uint32_t* out) {
  if (notes(key)) note(key, share_text(*out / 1e6));
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  double value = -1;
  if (node->is_number()) {
    value = *node->value<double>() * 1e6;
  } else if (node->is_string()) {
    const std::string& text = node->as_string()->get();
    const char* stop = text.data() + text.size();
    const auto [end, code] = std::from_chars(text.data(), stop, value, std::chars_format::fixed);
    value = code == std::errc() && end + 1 == stop && *end == '%' ? value * 1e4 : -1;
  }
  if (!(value >= 0 && value <= 1e6)) {
    report(key, "must be a share such as \"90%\" or 0.9, at most \"100%\" or 1");
    return false;
  }
  *out = static_cast<uint32_t>(std::llround(value));
  return true;
}

bool TableReader::numbers(const char* key, std::vector<uint32_t>* out, uint32_t least, uint32_t most) {
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    wrong_type(key, *node, "a list of whole numbers such as [50, 100]");
    return false;
  }
  std::vector<uint32_t> all;
  for (const toml::node& element : *array) {
    const std::optional<int64_t> value = element.is_integer() ? element.value<int64_t>() : std::nullopt;
    if (!value || *value < static_cast<int64_t>(least) || *value > static_cast<int64_t>(most)) {
      report_at(element.source(),
                std::string(key) + ": every element must be a whole number, at least " +
                    std::to_string(least) + ", at most " + std::to_string(most),
                false);
      return false;
    }
    all.push_back(static_cast<uint32_t>(*value));
  }
  *out = std::move(all);
  return true;
}

bool TableReader::unset(const char* key) {
  const toml::node* node = find(key);
  return node != nullptr && node->is_string() && node->as_string()->get() == "unset";
}

TextPlace TableReader::place(const char* key) const {
  if (table_ == nullptr) return {};
  const toml::node* node = key == nullptr ? nullptr : table_->get(key);
  const toml::source_position at = (node == nullptr ? table_->source() : node->source()).begin;
  return {static_cast<int>(at.line), static_cast<int>(at.column)};
}

bool TableReader::texts(const char* key, std::vector<std::string>* out, std::vector<TextPlace>* places) {
  if (notes(key)) note(key, list(*out));
  const toml::node* node = find(key);
  if (node == nullptr) return false;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    wrong_type(key, *node, "a list of texts such as [\"a\", \"b\"]");
    return false;
  }
  std::vector<std::string> all;
  for (const toml::node& element : *array) {
    if (!element.is_string()) {
      report_at(element.source(), std::string(key) + ": every element must be a text in quotes", false);
      return false;
    }
    all.push_back(element.as_string()->get());
    if (places != nullptr) {
      const toml::source_position at = element.source().begin;
      places->push_back({static_cast<int>(at.line), static_cast<int>(at.column)});
    }
  }
  *out = std::move(all);
  return true;
}

bool TableReader::choice(const char* key, const std::vector<const char*>& words, size_t* out) {
  if (notes(key)) note(key, *out < words.size() ? quoted(words[*out]) : "");
  std::string value;
  if (!text(key, &value)) return false;
  std::string list;
  for (size_t i = 0; i < words.size(); ++i) {
    if (value == words[i]) {
      *out = i;
      return true;
    }
    list += (i == 0 ? "\"" : ", \"") + std::string(words[i]) + '"';
  }
  report(key, "\"" + value + "\" is not one of " + list);
  return false;
}

const toml::table* TableReader::table(const char* key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) wrong_type(key, *node, (std::string("a section [") + key + "]").c_str());
  return node->as_table();
}

std::vector<const toml::table*> TableReader::tables(const char* key) {
  std::vector<const toml::table*> all;
  const toml::node* node = find(key);
  if (node == nullptr) return all;
  // Within [[rule]] it is [[rule.threshold]].
  const bool nested = name_.starts_with("[[") && name_.ends_with("]]");
  const std::string section = (nested ? name_.substr(0, name_.size() - 2) + "." : "[[") + key + "]]";
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    report(key, "is written with double brackets: " + section);
    return all;
  }
  for (const toml::node& element : *array) {
    if (element.is_table()) {
      all.push_back(element.as_table());
    } else {
      report_at(element.source(), std::string(key) + ": wanted are sections " + section, false);
    }
  }
  return all;
}

void TableReader::finish() {
  if (table_ == nullptr) return;
  for (const auto& [key, value] : *table_) {
    const std::string name(key.str());
    if (std::ranges::find(known_, name) != known_.end()) continue;
    report_at(key.source(), "there is no key \"" + name + "\"" + hint_for_key(name, known_), false);
  }
}

}  // namespace conf
