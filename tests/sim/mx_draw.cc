#include "tests/sim/mx_draw.h"

#include <algorithm>

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

std::string seconds(conf::Duration length) {
  return '"' + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(length).count()) + "s\"";
}

uint32_t from_to(conf::Random* random, uint32_t least, uint32_t most) {
  return least + static_cast<uint32_t>(random->below(most - least + 1));
}

void draw_thresholds(conf::Random* random, DrawnLimits* limits, size_t count) {
  constexpr const char* kScopes[] = {"any", "any", "any", "sender", "recipient"};
  limits->thresholds.clear();
  for (size_t i = 0; i < count; ++i) {
    DrawnThreshold threshold;
    threshold.error_rate_ppm = from_to(random, 30, 95) * 10'000;
    threshold.window = 1min * from_to(random, 10, 90);
    uint32_t most = 60;
    if (limits->messages_per_hour != 0) most = std::min(most, limits->messages_per_hour);
    threshold.min_messages = from_to(random, std::min(10U, most), most);
    threshold.block = 1min * from_to(random, 2, 90);
    threshold.max_block = threshold.block * from_to(random, 1, 6);
    threshold.probes = from_to(random, 1, 6);
    threshold.scope = kScopes[random->below(5)];
    if (random->chance(0.3)) threshold.min_duration = 1s * from_to(random, 1, 600);  // a window at most
    if (random->chance(0.4)) threshold.first_probe = 1s * from_to(random, 10, 110);  // less than a block
    limits->thresholds.push_back(threshold);
  }
}

// What may change with a reload.
void draw_numbers(conf::Random* random, DrawnLimits* limits) {
  limits->max_connections = from_to(random, 1, 6);
  limits->min_connections = random->chance(0.3) ? from_to(random, 1, limits->max_connections) : 0;
  limits->messages_per_connection = from_to(random, 1, random->chance(0.5) ? 4 : 50);
  if (limits->messages_per_hour != 0 || random->chance(0.6)) {
    limits->messages_per_hour = random->chance(0.6) ? from_to(random, 12, 100) : from_to(random, 100, 2000);
  }
  limits->smooth = random->chance(0.3);
  if (limits->rate != 0 || random->chance(0.4)) {
    limits->rate = from_to(random, 6, random->chance(0.6) ? 12 : 100);
    limits->burst = from_to(random, 1, random->chance(0.5) ? 2 : limits->rate);
  }
}

DrawnLimits draw_limits(conf::Random* random) {
  DrawnLimits limits;
  draw_numbers(random, &limits);
  draw_thresholds(random, &limits, random->chance(0.85) ? 1 + random->below(3) : 0);
  if (random->chance(0.25)) {
    limits.adaptive_max = from_to(random, 60, 600);
    limits.advise = random->chance(0.3);
  }
  if (random->chance(0.25)) limits.warmup = {from_to(random, 10, 30), from_to(random, 30, 60)};
  return limits;
}

void write_rule(const DrawnRule& rule, std::string* out) {
  constexpr const char* kScopes[] = {"path", "source", "pool"};
  const DrawnLimits& limits = rule.versions.back().second;
  const auto line = [out](const std::string& key, const std::string& value) {
    *out += key + " = " + value + '\n';
  };
  *out += "\n[[rule]]\n";
  line("name", '"' + rule.name + '"');
  line("mx", "[\"" + rule.mx + "\"]");
  if (!rule.sources.empty()) line("sources", '"' + rule.sources + '"');
  line("scope", std::string("\"") + kScopes[static_cast<size_t>(rule.scope)] + '"');
  line("one_site", rule.one_site ? "true" : "false");
  line("max_connections", std::to_string(limits.max_connections));
  if (limits.min_connections != 0) line("min_connections", std::to_string(limits.min_connections));
  line("max_messages_per_connection", std::to_string(limits.messages_per_connection));
  if (limits.messages_per_hour != 0) line("messages_per_hour", std::to_string(limits.messages_per_hour));
  line("smooth", limits.smooth ? "true" : "false");
  if (limits.rate != 0) {
    line("rate", '"' + std::to_string(limits.rate) + "/min\"");
    line("burst", std::to_string(limits.burst));
  }
  if (limits.adaptive_max != 0) {
    line("adaptive", limits.advise ? "\"advise\"" : "\"on\"");
    line("adaptive_min", "20");
    line("adaptive_max", std::to_string(limits.adaptive_max));
  }
  if (!limits.warmup.empty())
    line("warmup", '[' + std::to_string(limits.warmup[0]) + ", " + std::to_string(limits.warmup[1]) + ']');
  for (const DrawnThreshold& threshold : limits.thresholds) {
    *out += "[[rule.threshold]]\n";
    line("error_rate", std::to_string(threshold.error_rate_ppm / 1'000'000) + '.' +
                           std::to_string(1'000'000 + threshold.error_rate_ppm % 1'000'000).substr(1));
    line("min_messages", std::to_string(threshold.min_messages));
    line("window", seconds(threshold.window));
    line("block", seconds(threshold.block));
    line("max_block", seconds(threshold.max_block));
    line("probes", std::to_string(threshold.probes));
    if (threshold.min_duration.count() != 0) line("min_duration", seconds(threshold.min_duration));
    if (threshold.first_probe.count() != 0) line("first_probe", seconds(threshold.first_probe));
    line("scope", std::string("\"") + threshold.scope + '"');
  }
}

}  // namespace

void draw_rules(conf::Random* random, size_t sites, size_t sources, History* history) {
  history->rule_of.assign(sites, std::vector<size_t>(sources, 0));
  const bool shared = sites > 1 && random->chance(0.3);
  for (size_t site = 0; site < (shared ? 1 : sites); ++site) {
    const bool split = sources > 1 && random->chance(0.3);
    for (size_t part = 0; part < (split ? 2 : 1); ++part) {
      DrawnRule rule;
      rule.name = (shared ? "all" : "site" + std::to_string(site)) + (part == 0 ? "" : "-rest");
      rule.mx = shared ? "mx?.test" : "mx" + std::to_string(site) + ".test";
      if (split) rule.sources = part == 0 ? "1" : "2-";
      rule.scope = static_cast<CountedBy>(random->below(3));
      rule.one_site = random->chance(shared ? 0.6 : 0.2);
      rule.versions.emplace_back(conf::Instant{}, draw_limits(random));
      for (size_t of = shared ? 0 : site; of < (shared ? sites : site + 1); ++of) {
        for (size_t source = 0; source < sources; ++source) {
          if (!split || (source == 0) == (part == 0)) history->rule_of[of][source] = history->rules.size();
        }
      }
      history->rules.push_back(std::move(rule));
    }
  }
}

void draw_anew(conf::Random* random, conf::Instant now, History* history) {
  for (DrawnRule& rule : history->rules) {
    if (!random->chance(0.7)) continue;
    DrawnLimits limits = rule.versions.back().second;
    draw_numbers(random, &limits);
    draw_thresholds(random, &limits, limits.thresholds.size());
    rule.versions.emplace_back(now, std::move(limits));
  }
}

std::string write_configuration(const ConfigDraw& draw, const std::vector<DrawnRule>& rules) {
  std::string out = "hostname = \"relay.test\"\nmax_outbound_connections = " +
                    std::to_string(draw.max_outbound_connections) +
                    "\n[mx]\nshipped_rules = \"off\"\n[dns]\nallow_private_targets = true\n"
                    "[[listener]]\nname = \"main\"\naddress = \"127.0.0.1:25\"\n"
                    "[defaults]\ntls = \"off\"\nschedule = [\"100 x 10m\"]\nmax_recipients = " +
                    std::to_string(draw.max_recipients) + "\nvalidity = " + seconds(draw.validity) + '\n';
  for (size_t i = 0; i < draw.sources; ++i) {
    out += "[[source]]\nname = \"source" + std::to_string(i) + "\"\nid = " + std::to_string(i + 1) +
           "\naddress = \"127.9.0." + std::to_string(i + 1) + "\"\n";
    if (draw.new_source && i + 1 == draw.sources) out += "warmup = true\n";
  }
  for (size_t i = 0; i < draw.streams; ++i)
    out += "[[stream]]\nname = \"stream" + std::to_string(i) + "\"\nsenders = [\"s" + std::to_string(i) +
           ".test\"]\nsources = \"1-" + std::to_string(draw.sources) + "\"\n";
  for (const DrawnRule& rule : rules) write_rule(rule, &out);
  return out;
}

}  // namespace sim
