#include "relay/flow/stream_table.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "conf/vocab/address.h"

namespace relay::queue {

bool takes_stream(const std::string& mask, const std::string& name) {
  return !name.empty() && conf::domain_matches(mask, name);
}

StreamTable::StreamTable(conf::ConfigPtr config) { reload(std::move(config)); }

uint16_t StreamTable::number_of(std::string_view name) {
  if (name.empty()) return kNone;
  std::string key(name);
  const auto found = numbers_.find(key);
  if (found != numbers_.end()) return found->second;
  if (streams_.size() > std::numeric_limits<uint16_t>::max()) return kNone;
  const auto number = static_cast<uint16_t>(streams_.size());
  streams_.push_back({.name = key});
  find_sources(&streams_.back());
  streams_.back().held_until = end_of_holds(key);
  numbers_.emplace(std::move(key), number);
  return number;
}

uint16_t StreamTable::find(std::string_view name) const {
  const auto found = numbers_.find(std::string(name));
  return found == numbers_.end() ? kNone : found->second;
}

const conf::Source* StreamTable::source_named(const std::string& name) const {
  const auto found = source_numbers_.find(name);
  return found == source_numbers_.end() ? nullptr : sources_[found->second];
}

uint16_t StreamTable::source_number(const std::string& name) {
  if (name.empty()) return kNone;
  const auto found = source_numbers_.find(name);
  if (found != source_numbers_.end()) return found->second;
  if (sources_.size() > std::numeric_limits<uint16_t>::max()) return kNone;
  const auto number = static_cast<uint16_t>(sources_.size());
  sources_.push_back(nullptr);
  source_numbers_.emplace(name, number);
  return number;
}

bool StreamTable::has_source(uint16_t stream, const conf::Source* source) const {
  const Sources& all = sources_of(stream);
  return std::ranges::find(all, source) != all.end();
}

void StreamTable::reload(conf::ConfigPtr config) {
  config_ = std::move(config);
  std::ranges::fill(sources_, nullptr);
  for (const conf::Source& source : config_->sources) {
    if (const uint16_t number = source_number(source.name); number != kNone) sources_[number] = &source;
  }
  for (const conf::Stream& stream : config_->streams) number_of(stream.name);
  for (Stream& stream : streams_) find_sources(&stream);
}

void StreamTable::hold(std::vector<StreamHold> holds) {
  holds_ = std::move(holds);
  for (Stream& stream : streams_) stream.held_until = end_of_holds(stream.name);
}

// Of several the one that ends last.
conf::Instant StreamTable::end_of_holds(const std::string& name) const {
  conf::Instant until{};
  for (const StreamHold& hold : holds_)
    if (takes_stream(hold.mask, name)) until = std::max(until, hold.until);
  return until;
}

std::vector<std::string> StreamTable::names_like(const std::string& mask) const {
  std::vector<std::string> names;
  for (const Stream& stream : streams_)
    if (takes_stream(mask, stream.name)) names.push_back(stream.name);
  return names;
}

void StreamTable::find_sources(Stream* stream) const {
  stream->sources.clear();
  stream->pool = SourcePool();
  const auto configured = std::ranges::find(config_->streams, stream->name, &conf::Stream::name);
  const bool none = stream->name.empty();
  stream->known = none || configured != config_->streams.end();
  if (!stream->known) return;
  for (const conf::Source& source : config_->sources) {
    if (none || configured->sources.contains(source.id)) stream->sources.push_back(&source);
  }
  stream->pool = SourcePool(stream->sources);
}

}  // namespace relay::queue
