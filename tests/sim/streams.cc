#include "tests/sim/streams.h"

#include <algorithm>
#include <memory>

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

// A message is put on disk after its stream was chosen; what is under way when a reload comes goes on.
constexpr conf::Duration kStoring = 30min;
constexpr conf::Duration kUnderWay = 1h;

// As scenario.cc writes messages: by the number in the field X-Sim, and by the reverse-path. Judged apart
// from the relay's own eyes.
bool matches(const conf::Stream& stream, uint64_t number, const std::string& reverse_path, bool report) {
  if (!stream.senders.empty() && stream.senders.front() != (reverse_path.empty() ? "<>" : reverse_path))
    return false;
  return stream.header_name.empty() || (!report && std::to_string(number).front() == '1');
}

}  // namespace

std::string Streams::ids() {
  constexpr const char* kIds[] = {"1", "2", "3", "1-2", "2-", "1,3", "-3"};
  return kIds[random_.below(std::size(kIds))];
}

void Streams::draw(conf::Config* config) {
  any_ = random_.chance(0.5);
  if (!any_) return;
  config->sources.clear();
  for (uint32_t id = 1; id <= 3; ++id) {
    conf::Source source;
    source.name = "s" + std::to_string(id);
    source.id = id;
    source.address = "127.2.0." + std::to_string(id);
    config->sources.push_back(source);
  }
  const auto add = [&](const char* name, const char* sender, bool by_header) {
    if (random_.chance(0.3)) return;
    conf::Stream stream;
    stream.name = name;
    if (sender != nullptr) stream.senders.emplace_back(sender);
    if (by_header) {
      stream.header_name = "x-sim";
      stream.header_value = "1*";
    }
    stream.sources = conf::SourceSet::parse(ids()).value();
    config->streams.push_back(std::move(stream));
  };
  add("ones", nullptr, true);
  add("news", "news@sender.test", false);
  add("reports", "<>", false);
  if (random_.chance(0.5)) add("rest", nullptr, false);
}

conf::ConfigPtr Streams::changed(const conf::Config& config) {
  auto next = std::make_shared<conf::Config>(config);
  if (next->streams.empty()) return next;
  const size_t which = random_.below(next->streams.size());
  if (random_.chance(0.5)) {
    next->streams.erase(next->streams.begin() + static_cast<ptrdiff_t>(which));
  } else {
    next->streams[which].sources = conf::SourceSet::parse(ids()).value();
  }
  return next;
}

std::string Streams::sender() { return any_ && random_.chance(0.4) ? "news@sender.test" : "s@sender.test"; }

std::vector<conf::ConfigPtr> Streams::between(conf::Instant from, conf::Instant to) const {
  std::vector<conf::ConfigPtr> all;
  for (size_t i = 0; i < history_.size(); ++i) {
    const bool over = i + 1 < history_.size() && history_[i + 1].first < from;
    if (!over && history_[i].first <= to) all.push_back(history_[i].second);
  }
  return all;
}

std::vector<std::string> Streams::streams_of(const Mail& mail, conf::Instant from, conf::Instant to) const {
  std::vector<std::string> names;
  for (const conf::ConfigPtr& config : between(from, to)) {
    const auto found = std::ranges::find_if(config->streams, [&](const conf::Stream& stream) {
      return matches(stream, mail.number, mail.reverse_path, mail.report);
    });
    names.push_back(found == config->streams.end() ? "" : found->name);
  }
  return names;
}

bool Streams::may_leave(const std::string& address, const std::vector<std::string>& streams,
                        conf::Instant at) const {
  bool may = false, bound = true;
  for (const conf::ConfigPtr& config : between(at - kUnderWay, at)) {
    const auto from = std::ranges::find(config->sources, address, &conf::Source::address);
    for (const std::string& name : streams) {
      const auto stream = std::ranges::find(config->streams, name, &conf::Stream::name);
      const bool all = stream == config->streams.end() || stream->sources.text() == "-3";
      bound = bound && !all;
      may = may || all || stream->sources.contains(from->id);
    }
  }
  judged_ += bound ? 1 : 0;
  return may;
}

std::vector<std::string> Streams::judge(const Ledger& ledger,
                                        const std::map<std::string, conf::Instant>& accepted) const {
  std::vector<std::string> wrong;
  if (!any_) return wrong;
  std::map<std::string, uint64_t> numbers;
  for (const auto& [number, identifiers] : ledger.identifiers) {
    for (const std::string& each : identifiers) numbers[each] = number;
  }
  const auto look = [&](const Ledger::Delivery& key, const Ledger::Dot& dot, bool report) {
    Mail mail{numbers[key.first], "", report};
    const auto promised = ledger.promised.find({mail.number, key.second});
    if (promised == ledger.promised.end()) return;  // who sent it is not known here
    if (!report) mail.reverse_path = promised->second;
    const auto taken = accepted.find(key.first);
    // A report was made at some time after its message came in.
    const conf::Instant from = taken == accepted.end() ? conf::Instant{} : taken->second - kStoring;
    const conf::Instant to = report || taken == accepted.end() ? dot.at : taken->second;
    if (!may_leave(dot.from, streams_of(mail, from, to), dot.at))
      wrong.push_back(key.first + " to " + key.second + (report ? " (a report)" : "") + " left from " +
                      dot.from + ", which its stream does not have");
  };
  for (const auto& [key, dots] : ledger.delivery_dots) {
    for (const Ledger::Dot& dot : dots) look(key, dot, false);
  }
  for (const auto& [key, dots] : ledger.report_dots) {
    for (const Ledger::Dot& dot : dots) look(key, dot, true);
  }
  return wrong;
}

}  // namespace sim
