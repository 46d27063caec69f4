#include "relay/host/stream_mistakes.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "conf/vocab/ascii.h"
#include "mx/rules/rule_book.h"

namespace relay {
namespace {

using Names = std::vector<std::string>;

// Whether every sender that `narrow` takes is taken by `wide`: masks of conf::sender_matches(). May say no
// where it is so.
bool sender_mask_covers(std::string_view wide, std::string_view narrow) {
  if (wide == "<>" || narrow == "<>") return wide == narrow;
  const size_t at = wide.rfind('@'), narrow_at = narrow.rfind('@');
  const bool whole = at != std::string_view::npos, narrow_whole = narrow_at != std::string_view::npos;
  if (whole == narrow_whole) return mx::mask_covers(wide, narrow);
  if (narrow_whole) return mx::mask_covers(wide, narrow.substr(narrow_at + 1));
  return wide.substr(0, at) == "*" && mx::mask_covers(wide.substr(at + 1), narrow);
}

// The same for a key of names or masks; an empty one takes all.
template <typename Covers>
bool list_covers(const Names& wide, const Names& narrow, const Covers& covers) {
  if (wide.empty()) return true;
  return !narrow.empty() && std::ranges::all_of(narrow, [&](const std::string& each) {
    return std::ranges::any_of(wide, [&](const std::string& other) { return covers(other, each); });
  });
}

bool header_covers(const conf::Stream& wide, const conf::Stream& narrow) {
  return wide.header_name.empty() || (conf::equal_ignoring_case(wide.header_name, narrow.header_name) &&
                                      mx::mask_covers(wide.header_value, narrow.header_value));
}

bool takes_all_of(const conf::Stream& wide, const conf::Stream& narrow) {
  const auto same = [](const std::string& a, const std::string& b) { return a == b; };
  return list_covers(wide.senders, narrow.senders, sender_mask_covers) &&
         list_covers(wide.users, narrow.users, same) && list_covers(wide.listeners, narrow.listeners, same) &&
         header_covers(wide, narrow);
}

void check_ids(const conf::Config& config, const conf::Stream& stream, std::vector<conf::Problem>* out) {
  for (std::string_view rest = stream.sources_text; !rest.empty();) {
    const size_t end = std::min(rest.find(','), rest.size());
    const conf::Result<conf::SourceSet> ids = conf::SourceSet::parse(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto meant = [&ids](const conf::Source& source) { return ids.value().contains(source.id); };
    if (!ids.ok() || std::ranges::any_of(config.sources, meant)) continue;
    out->push_back(
        {config.file, stream.sources_line, stream.sources_column,
         "sources = \"" + stream.sources_text + "\": there is no [[source]] with id " + ids.value().text(),
         true});
  }
}

void check_reach(const conf::Config& config, size_t index, std::vector<conf::Problem>* out) {
  const conf::Stream& stream = config.streams[index];
  for (size_t i = 0; i < index; ++i) {
    const conf::Stream& earlier = config.streams[i];
    if (!takes_all_of(earlier, stream)) continue;
    out->push_back({config.file, stream.line, 1,
                    "[[stream]] \"" + stream.name + "\" gets no mail: \"" + earlier.name + "\" (line " +
                        std::to_string(earlier.line) +
                        ") stands before it and takes all that it would; the " +
                        "first stream that matches decides, so the narrower one goes first",
                    true});
    return;
  }
}

bool takes_everything(const conf::Stream& stream) {
  return stream.senders.empty() && stream.users.empty() && stream.listeners.empty() &&
         stream.header_name.empty();
}

// Mail of no stream leaves from all sources: the newsletters have theirs, and the invoices use it too.
void check_rest(const conf::Config& config, std::vector<conf::Problem>* out) {
  for (const conf::Stream& stream : config.streams) {
    const auto left_out = [&stream](const conf::Source& source) {
      return source.weight > 0 && !stream.sources.contains(source.id);
    };
    if (std::ranges::none_of(config.sources, left_out)) continue;
    out->push_back({config.file, stream.line, 1,
                    "mail that no [[stream]] takes leaves from all sources, from those of \"" + stream.name +
                        "\" too; a last [[stream]] with name and sources alone says which are for the rest",
                    true});
    return;
  }
}

void check_unused_sources(const conf::Config& config, std::vector<conf::Problem>* out) {
  std::string unused;
  for (const conf::Source& source : config.sources) {
    const auto has_it = [&source](const conf::Stream& stream) { return stream.sources.contains(source.id); };
    if (source.weight == 0 || std::ranges::any_of(config.streams, has_it)) continue;
    unused += (unused.empty() ? "\"" : ", \"") + source.name + "\" (id " + std::to_string(source.id) + ")";
  }
  if (unused.empty()) return;
  out->push_back({config.file, config.streams.back().line, 1,
                  "no mail leaves from the source " + unused +
                      ": all mail belongs to a [[stream]], and none of them has it in its sources",
                  true});
}

void check_weights(const conf::Config& config, const conf::Stream& stream, std::vector<conf::Problem>* out) {
  const auto sends = [&stream](const conf::Source& source) {
    return source.weight > 0 && stream.sources.contains(source.id);
  };
  if (std::ranges::any_of(config.sources, sends)) return;
  out->push_back({config.file, stream.sources_line, stream.sources_column,
                  "[[stream]] \"" + stream.name +
                      "\": its sources have weight 0 in [[source]], so its mail waits until it expires",
                  true});
}

}  // namespace

void add_stream_mistakes(const conf::Config& config, std::vector<conf::Problem>* out) {
  for (size_t i = 0; i < config.streams.size(); ++i) {
    check_ids(config, config.streams[i], out);
    check_weights(config, config.streams[i], out);
    check_reach(config, i, out);
  }
  if (std::ranges::any_of(config.streams, takes_everything)) {
    check_unused_sources(config, out);
  } else {
    check_rest(config, out);
  }
}

}  // namespace relay
