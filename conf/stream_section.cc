#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "conf/sections.h"
#include "conf/vocab/address.h"

namespace conf {

namespace {

constexpr size_t kMostStreams = 1000;
constexpr size_t kNameOctets = 64;  // it stands in every line about a message

bool read_list(TableReader* reader, const char* key, std::vector<std::string>* out) {
  if (!reader->texts(key, out)) return false;
  if (out->empty()) reader->report(key, "is empty: nothing matches it; without the key everything does");
  return !out->empty();
}

void read_header(TableReader* reader, Stream* out) {
  std::string header;
  if (!reader->text("header", &header)) return;
  const size_t colon = std::min(header.find(':'), header.size());
  out->header_name = header.substr(0, colon);
  const size_t value = header.find_first_not_of(": \t", colon);
  const size_t last = header.find_last_not_of(" \t");
  if (value != std::string::npos) out->header_value = header.substr(value, last - value + 1);
  if (!is_field_name(out->header_name) || out->header_value.empty())
    reader->report("header", "\"" + header +
                                 "\" is no header field with a value; write for example \"X-Stream: news\", "
                                 "or \"X-Stream: *\" for any value");
}

void read_sources(TableReader* reader, Stream* out) {
  if (!reader->text("sources", &out->sources_text)) {
    if (!reader->has("sources"))
      reader->report("sources",
                     "is missing: the ids of the sources that its mail leaves from, as in \"2-3\"");
    return;
  }
  const TextPlace place = reader->place("sources");
  out->sources_line = place.line;
  out->sources_column = place.column;
  Result<SourceSet> sources = SourceSet::parse(out->sources_text);
  if (sources.ok()) {
    out->sources = std::move(sources).value();
  } else {
    reader->report("sources", sources.error().detail);
  }
}

void read_name(TableReader* reader, const std::vector<Stream>& others, std::string* out) {
  reader->text("name", out);
  if (out->empty()) {
    reader->report("name", "is missing: the log and the queue show it");
  } else if (out->size() > kNameOctets) {
    reader->report("name", "is longer than " + std::to_string(kNameOctets) + " octets");
  }
  for (const Stream& other : others) {
    if (other.name == *out) reader->report("name", "\"" + *out + "\" is the name of another stream");
  }
}

template <typename Named>
void check_names(TableReader* reader, const char* key, const std::vector<std::string>& names,
                 const std::vector<Named>& known) {
  for (const std::string& name : names) {
    const auto is_named = [&name](const Named& each) { return each.name == name; };
    if (std::ranges::none_of(known, is_named))
      reader->report(
          key, "there is no [[" + std::string(key, std::strlen(key) - 1) + "]] with name = \"" + name + "\"");
  }
}

}  // namespace

// With an '@' a mask of addresses, else one of domains, which is written as domains are known here.
bool read_senders(TableReader* reader, std::vector<std::string>* out) {
  if (!read_list(reader, "senders", out)) return false;
  for (std::string& mask : *out) {
    if (mask == "<>") continue;
    if (mask.empty() || mask.find_first_of(" <>") != std::string::npos) {
      reader->report("senders", "\"" + mask +
                                    "\" is no mask of senders; write a domain (\"news.example.com\", "
                                    "\"*.example.com\"), an address (\"*@example.com\"), or \"<>\"");
      continue;
    }
    if (mask.find_first_of("@*?") != std::string::npos) continue;
    const Result<Domain> domain = Domain::parse(mask);
    if (domain.ok()) {
      mask = domain.value().text();
    } else {
      reader->report("senders", "\"" + mask + "\": " + domain.error().detail);
    }
  }
  return true;
}

void read_streams(TableReader* root, Config* config) {
  for (const toml::table* table : root->tables("stream")) {
    TableReader reader = root->inner(table, "[[stream]]");
    Stream stream;
    stream.line = reader.line();
    read_name(&reader, config->streams, &stream.name);
    read_senders(&reader, &stream.senders);
    read_list(&reader, "users", &stream.users);
    check_names(&reader, "users", stream.users, config->users);
    read_list(&reader, "listeners", &stream.listeners);
    check_names(&reader, "listeners", stream.listeners, config->listeners);
    read_header(&reader, &stream);
    read_sources(&reader, &stream);
    const auto meant = [&stream](const Source& source) { return stream.sources.contains(source.id); };
    if (stream.sources_line != 0 && !stream.sources.is_none() && std::ranges::none_of(config->sources, meant))
      reader.report("sources", "\"" + stream.sources_text +
                                   "\": there is no [[source]] with such an id: its mail could never leave");
    reader.finish();
    config->streams.push_back(std::move(stream));
  }
  if (config->streams.size() > kMostStreams)
    root->report("stream", "there are more than " + std::to_string(kMostStreams));
}

}  // namespace conf
