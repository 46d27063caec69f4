#include "relay/flow/stream_table.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace relay::queue {

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
  numbers_.emplace(std::move(key), number);
  return number;
}

uint16_t StreamTable::find(std::string_view name) const {
  const auto found = numbers_.find(std::string(name));
  return found == numbers_.end() ? kNone : found->second;
}

const conf::Source* StreamTable::source_named(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

void StreamTable::reload(conf::ConfigPtr config) {
  config_ = std::move(config);
  by_name_.clear();
  for (const conf::Source& source : config_->sources) by_name_.emplace(source.name, &source);
  for (const conf::Stream& stream : config_->streams) number_of(stream.name);
  for (Stream& stream : streams_) find_sources(&stream);
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
