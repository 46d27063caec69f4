// [[rule]] and [[rule.threshold]]. What a value means for the others is for mx/rule_check to say, once the
// inherited ones are known.
#include <algorithm>
#include <limits>

#include "conf/sections.h"
#include "conf/vocab/address.h"

namespace conf {

namespace {

constexpr uint32_t kAnyNumber = std::numeric_limits<uint32_t>::max();
constexpr size_t kLadderSteps = 366;  // a warm-up of more than a year is a limit, not a warm-up

// `read(value)` is true when the key is there and good.
template <typename T, typename Read>
void read_field(TableReader* reader, const char* key, RuleField<T>* out, Read read) {
  const TextPlace at = reader->place(key);
  T value{};
  if (reader->unset(key)) {
    *out = RuleField<T>::unset(at.line, at.column);
  } else if (read(&value)) {
    *out = RuleField<T>::set(std::move(value), at.line, at.column);
  }
}

void read_number(TableReader* reader, const char* key, RuleField<uint32_t>* out) {
  read_field(reader, key, out, [=](uint32_t* value) { return reader->number(key, value, 0, kAnyNumber); });
}
void read_duration(TableReader* reader, const char* key, RuleField<Duration>* out,
                   Duration least = Duration(0)) {
  read_field(reader, key, out, [=](Duration* value) { return reader->duration(key, value, least); });
}
void read_flag(TableReader* reader, const char* key, RuleField<bool>* out) {
  read_field(reader, key, out, [=](bool* value) { return reader->flag(key, value); });
}
void read_share(TableReader* reader, const char* key, RuleField<double>* out) {
  read_field(reader, key, out, [=](double* value) { return reader->share(key, value); });
}
template <typename Word>
void read_word(TableReader* reader, const char* key, const std::vector<const char*>& words,
               RuleField<Word>* out) {
  read_field(reader, key, out, [&](Word* value) {
    size_t index = 0;
    if (!reader->choice(key, words, &index)) return false;
    *value = static_cast<Word>(index);
    return true;
  });
}

// `plain_domains`: a mask without wildcards is a domain, which may be written in any script.
void read_rule_masks(TableReader* reader, const char* key, bool plain_domains, std::vector<RuleMask>* out) {
  std::vector<std::string> globs;
  std::vector<TextPlace> places;
  if (!reader->texts(key, &globs, &places)) return;
  if (globs.empty()) reader->report(key, "is an empty list: the rule would never match; leave it out");
  out->reserve(globs.size());
  for (size_t i = 0; i < globs.size(); ++i) {
    std::string glob = std::move(globs[i]);
    if (plain_domains && glob.find_first_of("*?") == std::string::npos) {
      const Result<Domain> domain = Domain::parse(glob);
      if (domain.ok()) glob = domain.value().text();
    }
    out->push_back({std::move(glob), places[i].line, places[i].column});
  }
}

void read_rate(TableReader* reader, RuleField<RuleRate>* out) {
  read_field(reader, "rate", out, [reader](RuleRate* value) {
    std::string text;
    if (!reader->text("rate", &text)) return false;
    const Result<Rate> rate = parse_rate(text);
    if (!rate.ok()) {
      reader->report("rate", rate.error().detail);
      return false;
    }
    *value = {rate.value().events, rate.value().per, 1};
    return true;
  });
  const bool wanted = reader->number("burst", &out->value.burst, 0, kAnyNumber);
  if (wanted && (!reader->has("rate") || reader->unset("rate")))
    reader->report("burst", "goes with a rate in the same rule, such as rate = \"100/min\"");
}

void read_count(TableReader* reader, RuleThreshold* out) {
  std::vector<std::string> words;
  if (!reader->texts("count", &words)) return;
  out->count_hard = out->count_soft = false;
  for (const std::string& word : words) {
    if (word == "hard") {
      out->count_hard = true;
    } else if (word == "soft") {
      out->count_soft = true;
    } else {
      reader->report("count", "\"" + word + "\" is not one of \"hard\", \"soft\"");
      out->count_hard = out->count_soft = true;
      return;
    }
  }
}

void read_reasons(TableReader* reader, RuleThreshold* out) {
  std::vector<std::string> words;
  if (!reader->texts("reasons", &words)) return;
  for (const std::string& word : words) {
    if (const std::optional<Reason> reason = parse_reason(word)) {
      out->reasons.push_back(*reason);
    } else {
      reader->report("reasons", "\"" + word + "\" is no reason, such as \"refused\" or \"mailbox-full\"");
    }
  }
  if (words.empty()) reader->report("reasons", "is empty: nothing would count as an error");
}

RuleThreshold read_threshold(TableReader reader) {
  RuleThreshold out;
  const TextPlace at = reader.place();
  out.line = at.line;
  out.column = at.column;
  reader.parts_per_million("error_rate", &out.error_rate_ppm);
  reader.number("min_messages", &out.min_messages, 0, kAnyNumber);
  reader.duration("window", &out.window);
  reader.duration("min_duration", &out.min_duration);
  reader.duration("block", &out.block);
  reader.duration("first_probe", &out.first_probe, 1s);
  if (!reader.duration("max_block", &out.max_block)) out.max_block = std::max(out.max_block, out.block);
  read_count(&reader, &out);
  read_reasons(&reader, &out);
  size_t scope = 0;
  if (reader.choice("scope", {"any", "sender", "recipient"}, &scope))
    out.scope = static_cast<ThresholdScope>(scope);
  reader.number("probes", &out.probes, 0, kAnyNumber);
  reader.finish();
  return out;
}

void read_thresholds(TableReader* reader, RuleField<std::vector<RuleThreshold>>* out) {
  read_field(reader, "threshold", out, [reader](std::vector<RuleThreshold>* value) {
    for (const toml::table* table : reader->tables("threshold"))
      value->push_back(read_threshold(reader->inner(table, "[[rule.threshold]]")));
    return !value->empty();
  });
}

void read_warmup(TableReader* reader, MxRule* out) {
  read_field(reader, "warmup", &out->fields.warmup, [reader](std::vector<uint32_t>* value) {
    if (!reader->numbers("warmup", value, 1, kAnyNumber)) return false;
    if (value->empty() || value->size() > kLadderSteps || !std::ranges::is_sorted(*value)) {
      reader->report("warmup",
                     "is a ladder of 1 to 366 days that never falls, such as [50, 100, 500, 1000, 5000]");
      return false;
    }
    return true;
  });
  read_share(reader, "warmup_hold", &out->fields.warmup_hold);
}

// Its name was "data_timeout", which means another wait in a destination.
void read_dot_timeout(TableReader* reader, RuleField<Duration>* out) {
  read_duration(reader, "dot_timeout", out);
  if (!reader->has("data_timeout")) return;
  RuleField<Duration> old;
  read_duration(reader, "data_timeout", &old);
  if (reader->has("dot_timeout")) {
    reader->report("data_timeout", "is the old name of dot_timeout, which is set too; remove it");
    return;
  }
  reader->report("data_timeout", "is called dot_timeout now, as in a destination; rename it", true);
  *out = old;
}

void read_limits(TableReader* reader, RuleFields<RuleField>* out) {
  read_word(reader, "scope", {"path", "source", "pool"}, &out->scope);
  read_flag(reader, "one_site", &out->one_site);
  read_number(reader, "max_connections", &out->max_connections);
  read_number(reader, "min_connections", &out->min_connections);
  read_number(reader, "max_messages_per_connection", &out->max_messages_per_connection);
  read_number(reader, "messages_per_hour", &out->messages_per_hour);
  read_flag(reader, "smooth", &out->smooth);
  read_rate(reader, &out->rate);
  read_number(reader, "max_recipients", &out->max_recipients);
  read_duration(reader, "connect_timeout", &out->connect_timeout);
  read_dot_timeout(reader, &out->dot_timeout);
  read_duration(reader, "timeout", &out->timeout);
  read_word(reader, "tls", {"off", "opportunistic", "required"}, &out->tls);
  read_field(reader, "smart_hosts", &out->smart_hosts,
             [reader](std::vector<SmartHost>* value) { return read_smart_hosts(reader, value); });
  read_field(reader, "implicit_tls", &out->implicit_tls,
             [reader](TlsStart* value) { return read_tls_start(reader, value); });
  read_field(reader, "tls_min", &out->tls_min,
             [reader](TlsVersion* value) { return read_tls_min(reader, value); });
  read_field(reader, "login", &out->login,
             [reader](std::string* value) { return reader->text("login", value); });
  read_field(reader, "schedule", &out->schedule,
             [reader](std::vector<Duration>* value) { return read_schedule(reader, value); });
  read_duration(reader, "validity", &out->validity, Duration(1s));
  read_share(reader, "jitter", &out->jitter);
  read_word(reader, "adaptive", {"off", "advise", "on"}, &out->adaptive);
  read_number(reader, "adaptive_min", &out->adaptive_min_per_hour);
  read_number(reader, "adaptive_max", &out->adaptive_max_per_hour);
}

MxRule read_rule(TableReader reader, const std::string& file) {
  MxRule out;
  out.file = file;
  const TextPlace at = reader.place();
  out.line = at.line;
  out.column = at.column;
  reader.text("name", &out.name);
  read_rule_masks(&reader, "mx", false, &out.mx);
  read_rule_masks(&reader, "domains", true, &out.domains);
  reader.text("sources", &out.sources);
  const TextPlace sources = reader.place("sources");
  out.sources_line = sources.line;
  out.sources_column = sources.column;
  reader.text("inherit", &out.inherit);
  const TextPlace inherit = reader.place("inherit");
  out.inherit_line = inherit.line;
  out.inherit_column = inherit.column;
  read_limits(&reader, &out.fields);
  read_thresholds(&reader, &out.fields.thresholds);
  read_warmup(&reader, &out);
  reader.finish();
  return out;
}

}  // namespace

std::vector<MxRule> read_rules(TableReader* root, const std::string& file) {
  std::vector<MxRule> rules;
  for (const toml::table* table : root->tables("rule"))
    rules.push_back(read_rule(root->inner(table, "[[rule]]"), file));
  return rules;
}

}  // namespace conf
